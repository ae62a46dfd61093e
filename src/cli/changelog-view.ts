/**
 * The state of an application as its changelogs tell it, followed from outside of its group.
 *
 * Used by commands that must see all of an application whose replicas share the partitions. It
 * works with any number of replicas, also while they come and go. 1. Only committed rows are seen.
 * 2. `lagRecords` is 0 only if the group had committed everything there was at one instant, and
 * the view holds all that was committed until then. 3. It joins no group and writes to no topic.
 */

import type { Engine } from '../../state/engine.ts'
import { namespacePrefix } from '../../state/key-layout.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { BrokerError } from '../broker/errors.ts'
import type { Broker, Fetcher, FetchOptions, RawBatch, TopicPartition } from '../broker/port.ts'
import { ChangelogRows } from '../runtime/changelog-rows.ts'
import type { TopicNames } from '../runtime/internal-topics.ts'
import { storeByName, StoreQuery } from '../runtime/queries.ts'
import { TopicPlan } from '../runtime/topic-plan.ts'
import type { Plan } from '../topology/graph.ts'
import { readGlobal } from './read-globals.ts'
import { storeReaders } from './store-readers.ts'
import type { StoreSource } from './store-source.ts'

export interface ChangelogViewOptions {
  readonly broker: Broker
  /** Empty, and of the view alone; the caller closes and removes it. */
  readonly engine: Engine
  readonly applicationId: string
  readonly deadLetterTopic: string
  readonly plan: Plan
  readonly topicNames?: TopicNames
}

interface Changelog extends TopicPartition {
  readonly prefix: Uint8Array
  offset: bigint
}

interface Source extends TopicPartition {
  /** Where a group without a committed offset begins. */
  readonly startOffset: bigint
}

const refreshEveryMs = 100
const changelogBytes = 1_048_576
const sourceBytes = 4_096
const fetchOptions: FetchOptions = { isolation: 'read_committed', maxWaitMs: 100 }
const staleAfterMs = 1_000
const cachedSlotsMax = 100

export class ChangelogView {
  readonly stores: StoreSource
  readonly #options: ChangelogViewOptions
  readonly #sources: readonly Source[]
  readonly #changelogs: readonly Changelog[]
  readonly #failed = Promise.withResolvers<never>()
  #lag = { records: -1, atMs: -Infinity }
  #isClosed = false
  #following: Promise<void> = Promise.resolve()

  private constructor(
    options: ChangelogViewOptions,
    parts: { readonly sources: readonly Source[]; readonly changelogs: readonly Changelog[] },
    taskIds: ReadonlyMap<string, readonly string[]>,
  ) {
    this.#options = options
    this.#sources = parts.sources
    this.#changelogs = parts.changelogs
    this.stores = viewedStores(options, taskIds)
    this.#failed.promise.catch(() => {}) // who does not ask must not end the process
  }

  /** Creates the application's internal topics if it never ran; resolves when it has caught up. */
  static async open(options: ChangelogViewOptions): Promise<ChangelogView> {
    const { broker, plan, applicationId, deadLetterTopic, topicNames } = options
    const wanted = { applicationId, plan, deadLetterTopic, topicNames }
    const topics = await TopicPlan.apply(broker, wanted)
    const taskIds = new Map<string, readonly string[]>()
    const changelogs: Changelog[] = []
    for (const sub of plan.subTopologies) {
      const ids = Array.from({ length: topics.partitionsOf(sub) }, (_, p) => `${sub.id}_${p}`)
      for (const store of sub.stores) {
        taskIds.set(store, ids)
        const topic = topics.changelog(store).name
        ids.forEach((id, partition) =>
          changelogs.push({ topic, partition, prefix: namespacePrefix(id, store), offset: 0n }),
        )
      }
    }
    const sources = Object.entries(topics.sourcePartitions()).flatMap(([topic, count]) =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition })),
    )
    const start = async (partition: TopicPartition): Promise<bigint> =>
      (await broker.topics.offsets(partition)).logStartOffset
    for (const changelog of changelogs) changelog.offset = await start(changelog)
    const started: Source[] = []
    for (const source of sources) started.push({ ...source, startOffset: await start(source) })
    const view = new ChangelogView(options, { sources: started, changelogs }, taskIds)
    await view.#refresh()
    view.#following = view.#follow()
    return view
  }

  /** Records that wait to be processed by the group; -1 while that is not known. */
  get lagRecords(): number {
    return performance.now() - this.#lag.atMs > staleAfterMs ? -1 : this.#lag.records
  }

  /** Rejects with what ended the following; never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#following
  }

  async #follow(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#refresh()
      } catch (error) {
        const mayPass = error instanceof BrokerError && error.action === 'retry'
        if (!mayPass) return this.#failed.reject(error)
      }
      await new Promise((resolve) => {
        setTimeout(resolve, refreshEveryMs)
      })
    }
  }

  /** Committed offsets first: what is found behind them was not processed at that time. */
  async #refresh(): Promise<void> {
    const { broker, applicationId } = this.#options
    const atMs = performance.now()
    const committed = await broker.groups.committedOffsets(applicationId, this.#sources)
    const offsets = new Map(committed.map((found) => [nameOf(found), found.offset]))
    const waiting = this.#sources.map(({ topic, partition, startOffset }) => ({
      topic,
      partition,
      offset: offsets.get(nameOf({ topic, partition })) ?? startOffset,
      maxBytes: sourceBytes,
    }))
    // a fetcher of its own each time: an answer to an older poll would be too old
    const fetcher = broker.fetcher('view')
    try {
      const wanted = this.#changelogs.map((changelog) => wantedOf(changelog))
      const batches = await fetcher.fetch([...waiting, ...wanted], {
        ...fetchOptions,
        maxWaitMs: 0,
      })
      const ends = batches.slice(waiting.length)
      await this.#apply(this.#changelogs, ends)
      await this.#catchUp(fetcher, ends)
      const records = await this.#waitingRecords(fetcher, batches.slice(0, waiting.length))
      this.#lag = { records, atMs }
    } finally {
      await fetcher.close()
    }
  }

  /**
   * Markers are no records; a transaction that is still open may bring some. A broker fills an
   * answer up with the first partitions, and aborted records count: what it left out is asked for
   * again before nothing is said to wait.
   */
  async #waitingRecords(fetcher: Fetcher, answers: readonly RawBatch[]): Promise<number> {
    let batches = answers
    for (;;) {
      const records = batches.reduce((sum, batch) => sum + waitingIn(batch), 0)
      const unread = batches.filter((batch) => batch.nextOffset < batch.lastStableOffset)
      if (records > 0 || unread.length === 0 || this.#isClosed) return records
      batches = await fetcher.fetch(
        unread.map(({ topic, partition, nextOffset: offset }) => ({
          topic,
          partition,
          offset,
          maxBytes: sourceBytes,
        })),
        fetchOptions,
      )
    }
  }

  /** Until every changelog is read to where it ended in `ends`, markers and all. */
  async #catchUp(fetcher: Fetcher, ends: readonly RawBatch[]): Promise<void> {
    const isBehind = (changelog: Changelog, index: number): boolean =>
      changelog.offset < ends[index]!.highWatermark
    let behind = this.#changelogs.filter(isBehind)
    while (behind.length > 0 && !this.#isClosed) {
      const batches = await fetcher.fetch(
        behind.map((one) => wantedOf(one)),
        fetchOptions,
      )
      await this.#apply(behind, batches)
      behind = this.#changelogs.filter(isBehind)
    }
  }

  async #apply(changelogs: readonly Changelog[], batches: readonly RawBatch[]): Promise<void> {
    const writes = new WriteBatch()
    const rows = new ChangelogRows()
    changelogs.forEach((changelog, index) => {
      const batch = batches[index]!
      changelog.offset = batch.nextOffset
      rows.add(batch)
      rows.moveTo(writes, changelog.prefix)
    })
    if (writes.count > 0) await this.#options.engine.bulkLoad(writes)
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

const wantedOf = ({ topic, partition, offset }: Changelog) => ({
  topic,
  partition,
  offset,
  maxBytes: changelogBytes,
})

const waitingIn = (batch: RawBatch): number => {
  if (batch.records.length > 0) return Number(batch.highWatermark - batch.baseOffset)
  return batch.lastStableOffset < batch.highWatermark ? 1 : 0
}

/** Rows as they are at the time of each read: nothing decoded is kept between two of them. */
const viewedStores = (
  { engine, broker, plan }: ChangelogViewOptions,
  taskIds: ReadonlyMap<string, readonly string[]>,
): StoreSource => {
  return {
    query: (store) =>
      new StoreQuery(store.name, () => storeReaders(store, { engine, cachedSlotsMax, taskIds })),
    named: (name) => storeByName(plan.stores, name),
    global: (name) => readGlobal(broker, plan, name),
  }
}
