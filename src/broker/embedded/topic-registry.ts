/**
 * The topics of the broker and the logs of their partitions: what exists, durable.
 *
 * Serves the `Topics` port and looks logs up for everyone else. 1. Names and ids never change while
 * a topic exists, partitions are added only. 2. A deleted topic disappears at once; its rows go in
 * the background, again after a crash (`dropped` rows). 3. It knows nothing of records.
 */

import type { Engine } from '../../../state/engine.ts'
import { BrokerError } from '../errors.ts'
import type {
  PartitionOffsets,
  TopicDescription,
  TopicPartition,
  Topics,
  TopicSettings,
  TopicSettingsChange,
  TopicSpec,
} from '../port.ts'
import { topicDefaults } from '../topic-defaults.ts'
import type { Cluster } from './cluster.ts'
import type { CommittedOffsets } from './committed-offsets.ts'
import type { Journal } from './journal.ts'
import type { LogCache } from './log-cache.ts'
import { PartitionLog, type PartitionLogOptions } from './partition-log.ts'
import { recoverLog } from './recover-log.ts'
import { checkSettings } from './topic-limits.ts'
import {
  droppedKey,
  decodeJson,
  encodeJson,
  kindRange,
  logIdOfKey,
  logRange,
  namedKey,
  noPrefix,
  partitionKey,
} from './rows.ts'

interface TopicRow extends TopicDescription {
  /** Of the partitions it was created with, one after the other. */
  readonly firstLogId: number
  /** Of the partitions that were added, in order. */
  readonly addedLogIds?: readonly number[]
}

interface TopicState {
  readonly row: TopicRow
  readonly logs: readonly PartitionLog[]
}

export interface TopicRegistryOptions {
  readonly engine: Engine
  readonly journal: Journal
  readonly cache: LogCache
  readonly cluster: Cluster
  readonly committedOffsets: CommittedOffsets
  newUuid(): string
}

export class TopicRegistry implements Topics {
  readonly #options: TopicRegistryOptions
  readonly #topics = new Map<string, TopicState>()

  constructor(options: TopicRegistryOptions) {
    this.#options = options
  }

  /** Reads what an earlier start left; called once, before anything else. */
  async recover(): Promise<void> {
    const { engine } = this.#options
    const cursor = engine.scan(kindRange('topic'))
    try {
      for (let rows = cursor.next(100); rows.length > 0; rows = cursor.next(100)) {
        for (const [, value] of rows) this.#recover(decodeJson<TopicRow>(value))
      }
    } finally {
      cursor.close()
    }
    await this.#dropRows()
  }

  /** @throws {BrokerError} BROKER_UNKNOWN_TOPIC: create it */
  log({ topic, partition }: TopicPartition): PartitionLog {
    const log = this.#topics.get(topic)?.logs[partition]
    if (log !== undefined) return log
    throw new BrokerError(
      'BROKER_UNKNOWN_TOPIC',
      `there is no partition ${partition} of a topic ${topic}`,
      { topic, partition },
    )
  }

  /** Every log that exists, in no particular order. */
  *logs(): Iterable<PartitionLog> {
    for (const { logs } of this.#topics.values()) yield* logs
  }

  async create(specs: readonly TopicSpec[]): Promise<void> {
    for (const spec of specs) this.#checkSpec(spec)
    for (const spec of specs) if (!this.#topics.has(spec.name)) this.#create(spec)
    await this.#options.journal.durable()
  }

  async describe(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>> {
    const found = new Map<string, TopicDescription>()
    for (const name of names) {
      const topic = this.#topics.get(name)
      if (topic !== undefined) found.set(name, describe(topic.row))
    }
    return found
  }

  async list(): Promise<readonly TopicDescription[]> {
    return [...this.#topics.values()].map(({ row }) => describe(row))
  }

  async settings(names: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>> {
    const described = await this.describe(names)
    return new Map(
      [...described].map(([name, { config }]) => [name, { ...topicDefaults, ...config }]),
    )
  }

  /** Compression and replicas are kept and without effect: there is one copy, as it came. */
  async changeSettings(changes: readonly TopicSettingsChange[]): Promise<void> {
    for (const { name, config } of changes) {
      this.#known(name)
      checkSettings(name, config)
    }
    for (const { name, config } of changes) {
      const { row, logs } = this.#known(name)
      const changed: TopicRow = { ...row, config: { ...row.config, ...config } }
      for (const log of logs) log.config = changed.config
      this.#keep({ row: changed, logs })
    }
    await this.#options.journal.durable()
  }

  async raisePartitions(name: string, partitions: number): Promise<void> {
    const { row, logs } = this.#known(name)
    if (row.partitions === partitions) return
    if (!Number.isInteger(partitions) || partitions < row.partitions) {
      throw new BrokerError(
        'BROKER_INVALID_REQUEST',
        `topic ${name} has ${row.partitions} partitions, ${partitions} are not more`,
        { topic: name },
      )
    }
    const count = partitions - row.partitions
    const first = this.#options.cluster.takeLogIds(count)
    const newIds = Array.from({ length: count }, (_, index) => first + index)
    const raised = { ...row, partitions, addedLogIds: [...(row.addedLogIds ?? []), ...newIds] }
    const added = newIds.map(
      (logId, index) => new PartitionLog(this.#logOptions(row, logId, logs.length + index)),
    )
    this.#keep({ row: raised, logs: [...logs, ...added] })
    await this.#options.journal.durable()
  }

  async replicasMax(): Promise<number> {
    return 1
  }

  async delete(names: readonly string[]): Promise<void> {
    const { journal, committedOffsets } = this.#options
    for (const name of names) this.#known(name)
    for (const name of names) {
      const topic = this.#topics.get(name)
      if (topic === undefined) continue
      this.#topics.delete(name)
      journal.delete(namedKey('topic', name))
      committedOffsets.forgetTopic(name)
      for (const log of topic.logs) {
        log.markDeleted()
        journal.put(droppedKey(log.logId), noPrefix)
      }
    }
    await journal.durable()
    await this.#dropRows()
  }

  async purge(partition: TopicPartition, offset: bigint): Promise<void> {
    const log = this.log(partition)
    const until = Number(offset)
    if (until > log.highWatermark) {
      throw new BrokerError(
        'BROKER_OFFSET_OUT_OF_RANGE',
        `purge of ${partition.topic}-`
          + `${partition.partition} up to ${offset}, behind its end ${log.highWatermark}`,
        partition,
      )
    }
    log.raiseLogStart(until)
    await this.#options.journal.durable()
  }

  async offsets(partition: TopicPartition): Promise<PartitionOffsets> {
    return this.log(partition).offsets()
  }

  async epochEnd(partition: TopicPartition, leaderEpoch: number): Promise<bigint> {
    return BigInt(this.log(partition).epochEndOffset(leaderEpoch))
  }

  #known(name: string): TopicState {
    const topic = this.#topics.get(name)
    if (topic !== undefined) return topic
    throw new BrokerError('BROKER_UNKNOWN_TOPIC', `there is no topic ${name}`, { topic: name })
  }

  #checkSpec({ name, partitions, config }: TopicSpec): void {
    checkSettings(name, config)
    if (!Number.isInteger(partitions) || partitions < 1) {
      throw new BrokerError('BROKER_INVALID_REQUEST', `topic ${name}: ${partitions} partitions`)
    }
    if (!legalName.test(name)) {
      throw new BrokerError(
        'BROKER_INVALID_REQUEST',
        `topic name ${JSON.stringify(name)}: use up `
          + 'to 249 of a-z, A-Z, 0-9, dot, underscore and hyphen',
      )
    }
    const existing = this.#topics.get(name)
    if (existing === undefined || existing.row.partitions === partitions) return
    throw new BrokerError(
      'BROKER_INVALID_REQUEST',
      `topic ${name} exists with ` + `${existing.row.partitions} partitions, not ${partitions}`,
      { topic: name },
    )
  }

  #create({ name, partitions, config }: TopicSpec): void {
    const { cluster, newUuid } = this.#options
    const firstLogId = cluster.takeLogIds(partitions)
    const row: TopicRow = { name, partitions, config, topicId: newUuid(), firstLogId }
    const logs = logIds(row).map((id, index) => new PartitionLog(this.#logOptions(row, id, index)))
    this.#keep({ row, logs })
  }

  #recover(row: TopicRow): void {
    const { engine } = this.#options
    const logs = logIds(row).map((id, index) =>
      recoverLog(engine, this.#logOptions(row, id, index)),
    )
    this.#topics.set(row.name, { row, logs })
  }

  #keep(topic: TopicState): void {
    const { name } = topic.row
    this.#options.journal.put(namedKey('topic', name), encodeJson(topic.row))
    this.#topics.set(name, topic)
  }

  #logOptions({ name, config }: TopicRow, logId: number, partition: number): PartitionLogOptions {
    const { journal, cache, cluster } = this.#options
    const { leaderEpoch } = cluster
    return { logId, topic: name, partition, config, journal, cache, leaderEpoch }
  }

  async #dropRows(): Promise<void> {
    const { engine, journal } = this.#options
    const cursor = engine.scan(kindRange('dropped'))
    const dropped = cursor.next(10_000)
    cursor.close()
    if (dropped.length === 0) return
    await journal.durable().catch(() => {}) // no append in flight may come after the deletion
    for (const [key] of dropped) {
      const logId = logIdOfKey(key)
      await engine.deleteRange(logRange('batch', logId))
      await engine.deleteRange(logRange('aborted', logId))
      await engine.deleteRange(logRange('epoch', logId))
      journal.delete(partitionKey(logId))
      journal.delete(key)
    }
    await journal.durable()
  }
}

const legalName = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/

const describe = ({ name, partitions, config, topicId }: TopicRow): TopicDescription => ({
  name,
  partitions,
  config,
  topicId,
})

/** By partition. */
const logIds = ({ partitions, firstLogId, addedLogIds = [] }: TopicRow): readonly number[] => {
  const created = partitions - addedLogIds.length
  return [...Array.from({ length: created }, (_, index) => firstLogId + index), ...addedLogIds]
}
