/**
 * The topics of the broker and the logs of their partitions: what exists, durable.
 *
 * Serves the `Topics` port and looks logs up for everyone else. 1. Names, ids and partition
 * counts never change while a topic exists. 2. A deleted topic disappears at once; its rows go in
 * the background, again after a crash (`dropped` rows). 3. It knows nothing of records.
 */

import { type Engine } from '../../../state/engine.ts'
import { BrokerError } from '../errors.ts'
import {
  type PartitionOffsets,
  type TopicDescription,
  type TopicPartition,
  type Topics,
  type TopicSpec,
} from '../port.ts'
import { type Cluster } from './cluster.ts'
import { type CommittedOffsets } from './committed-offsets.ts'
import { type Journal } from './journal.ts'
import { type LogCache } from './log-cache.ts'
import { PartitionLog } from './partition-log.ts'
import { recoverLog } from './recover-log.ts'
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
  readonly firstLogId: number
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
        for (const [, value] of rows) this.#open(decodeJson<TopicRow>(value), true)
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

  async delete(names: readonly string[]): Promise<void> {
    const { journal, committedOffsets } = this.#options
    for (const name of names) if (!this.#topics.has(name)) throw unknownTopic(name)
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

  async epochEndOffset(partition: TopicPartition, leaderEpoch: number): Promise<bigint> {
    return BigInt(this.log(partition).epochEndOffset(leaderEpoch))
  }

  #checkSpec({ name, partitions }: TopicSpec): void {
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
    const { cluster, journal, newUuid } = this.#options
    const firstLogId = cluster.takeLogIds(partitions)
    const row: TopicRow = { name, partitions, config, topicId: newUuid(), firstLogId }
    journal.put(namedKey('topic', name), encodeJson(row))
    this.#open(row, false)
  }

  #open(row: TopicRow, isRecovery: boolean): void {
    const { engine, journal, cache, cluster } = this.#options
    const logs = Array.from({ length: row.partitions }, (_, partition) => {
      const logId = row.firstLogId + partition
      const options = {
        logId,
        topic: row.name,
        partition,
        config: row.config,
        journal,
        cache,
        leaderEpoch: cluster.leaderEpoch,
      }
      return isRecovery ? recoverLog(engine, options) : new PartitionLog(options)
    })
    this.#topics.set(row.name, { row, logs })
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

const unknownTopic = (topic: string): BrokerError =>
  new BrokerError('BROKER_UNKNOWN_TOPIC', `there is no topic ${topic}`, { topic })
