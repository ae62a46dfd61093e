/**
 * Topics of a Kafka cluster: made, described, purged, and how far their partitions are.
 *
 * Made by `KafkaBroker`. 1. What `create` and `delete` promise is seen by every later call of this
 * client: they wait for the metadata. 2. Offsets are asked of the leader, the last stable offset
 * before the high watermark, so that it is never above it.
 */

import {
  type Connection,
  createPartitionsV3,
  createTopicsV7,
  deleteRecordsV2,
  deleteTopicsV6,
  listOffsetsV8,
  offsetForLeaderEpochV4,
} from '@platformatic/kafka'
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
import { adminErrorOf } from './admin-error.ts'
import { type Cluster, isUnavailable, type Leader, type TopicMetadata } from './cluster.ts'
import { brokerErrorOf, kafkaCodes, kafkaFailure, noError } from './errors.ts'
import { call } from './protocol/call.ts'
import { configEntries, type TopicConfigs } from './topic-configs.ts'

export interface KafkaTopicsOptions {
  readonly cluster: Cluster
  readonly configs: TopicConfigs
  /** Of topics that `create` makes; −1 takes the brokers' default. */
  readonly replicationFactor: number
}

const purpose = 'topics'
/** How long brokers may take over one request, in ms; below the time-out of requests. */
const adminTimeoutMs = 10_000
const [latest, earliest] = [-1n, -2n]

export class KafkaTopics implements Topics {
  readonly #cluster: Cluster
  readonly #configs: TopicConfigs
  readonly #replicationFactor: number

  constructor({ cluster, configs, replicationFactor }: KafkaTopicsOptions) {
    this.#cluster = cluster
    this.#configs = configs
    this.#replicationFactor = replicationFactor
  }

  async create(specs: readonly TopicSpec[]): Promise<void> {
    const existing = await this.#metadata(specs)
    for (const spec of specs) checkPartitions(spec, existing.get(spec.name))
    const missing = specs.filter(({ name }) => !existing.has(name))
    if (missing.length === 0) return
    const { topics } = await this.#cluster.ask(
      createTopicsV7.api,
      missing.map((spec) => ({
        name: spec.name,
        numPartitions: spec.partitions,
        replicationFactor: spec.replicas ?? this.#replicationFactor,
        assignments: [],
        configs: configEntries(spec.config),
      })),
      adminTimeoutMs,
      false,
    )
    for (const { name, errorCode, errorMessage } of topics) {
      if (errorCode === noError || errorCode === kafkaCodes.topicAlreadyExists) continue
      const refusal = { acl: 'Create', topic: name, errorMessage }
      throw adminErrorOf(errorCode, `create topic ${name}`, refusal)
    }
    for (const { name } of missing) this.#configs.forget(name)
    await this.#untilReady(missing)
  }

  async describe(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>> {
    const topics = names.length === 0 ? [] : await this.#cluster.describe(names)
    return new Map((await this.#described(topics)).map((topic) => [topic.name, topic]))
  }

  async list(): Promise<readonly TopicDescription[]> {
    const topics = await this.#cluster.describe(null)
    return this.#described(topics.filter(({ isInternal }) => !isInternal))
  }

  settings(names: readonly string[]): Promise<ReadonlyMap<string, TopicSettings>> {
    return this.#configs.settings(names)
  }

  changeSettings(changes: readonly TopicSettingsChange[]): Promise<void> {
    return this.#configs.change(changes)
  }

  async raisePartitions(name: string, partitions: number): Promise<void> {
    const doing = `partitions of topic ${name}`
    const count = async (): Promise<number> => {
      const [topic] = await this.#cluster.describe([name])
      if (topic !== undefined) return topic.leaderIds.length
      throw brokerErrorOf(kafkaCodes.unknownTopic, doing, { topic: name })
    }
    if ((await count()) === partitions) return
    const { results } = await this.#cluster.ask(
      createPartitionsV3.api,
      [{ name, count: partitions, assignments: null }],
      adminTimeoutMs,
      false,
    )
    const { errorCode, errorMessage } = results[0]!
    // asked twice over a lost connection, the second is refused for the first
    if (errorCode !== noError && (await count()) !== partitions) {
      throw adminErrorOf(errorCode, doing, { acl: 'Alter', topic: name, errorMessage })
    }
    await this.#until(`new partitions of ${name} have no leaders yet`, async () => {
      const [topic] = await this.#cluster.describe([name])
      return topic?.leaderIds.length === partitions && topic.leaderIds.every((id) => id >= 0)
    })
  }

  replicasMax(): Promise<number> {
    return this.#cluster.brokerCount()
  }

  async delete(names: readonly string[]): Promise<void> {
    const { responses } = await this.#cluster.ask(
      deleteTopicsV6.api,
      names.map((name) => ({ name })),
      adminTimeoutMs,
    )
    for (const { name, errorCode, errorMessage } of responses) {
      if (errorCode === noError) continue
      throw brokerErrorOf(errorCode, `delete topic ${name}`, { topic: name ?? '' }, errorMessage)
    }
    for (const name of names) {
      this.#cluster.forgetTopic(name)
      this.#configs.forget(name)
    }
    await this.#until(
      'the brokers still know deleted topics',
      async () => (await this.#cluster.describe(names)).length === 0,
    )
    for (const name of names) this.#cluster.forgetTopic(name)
  }

  async purge(partition: TopicPartition, offset: bigint): Promise<void> {
    await this.#askLeader(
      partition,
      `purge of ${nameOf(partition)} below ${offset}`,
      async (connection) => {
        const { topic: name, partition: partitionIndex } = partition
        const answer = await call(
          deleteRecordsV2.api,
          connection,
          [{ name, partitions: [{ partitionIndex, offset }] }],
          adminTimeoutMs,
        )
        return { errorCode: answer.topics[0]?.partitions[0]?.errorCode ?? kafkaCodes.unknownTopic }
      },
    )
  }

  async offsets(partition: TopicPartition): Promise<PartitionOffsets> {
    const doing = `offsets of ${nameOf(partition)}`
    const found = await this.#askLeader(partition, doing, async (connection, leader) => {
      const ask = (isolation: number, timestamp: bigint) =>
        listOffset(connection, partition, { isolation, timestamp })
      const [stable, high, start] = await Promise.all([
        ask(1, latest),
        ask(0, latest),
        ask(0, earliest),
      ])
      const errorCode = stable.errorCode || high.errorCode || start.errorCode
      return { errorCode, leader, stable, high, start }
    })
    const {
      leader: { leaderEpoch },
      stable,
      high,
      start,
    } = found
    return {
      logStartOffset: start.offset,
      lastStableOffset: stable.offset,
      highWatermark: high.offset,
      leaderEpoch,
    }
  }

  async epochEnd(partition: TopicPartition, leaderEpoch: number): Promise<bigint | undefined> {
    const { topic, partition: partitionIndex } = partition
    const doing = `end of leader epoch ${leaderEpoch} of ${nameOf(partition)}`
    const { endOffset } = await this.#askLeader(partition, doing, async (connection, leader) => {
      const { leaderEpoch: currentLeaderEpoch } = leader
      const { topics } = await call(offsetForLeaderEpochV4.api, connection, -1, [
        { name: topic, partitions: [{ partitionIndex, currentLeaderEpoch, leaderEpoch }] },
      ])
      const answer = topics[0]?.partitions[0]
      return answer ?? { errorCode: kafkaCodes.unknownTopic, endOffset: -1n }
    })
    return endOffset < 0n ? undefined : endOffset
  }

  async #askLeader<Answer extends { readonly errorCode: number }>(
    partition: TopicPartition,
    doing: string,
    request: (connection: Connection, leader: Leader) => Promise<Answer>,
  ): Promise<Answer> {
    const { topic } = partition
    const backoff = this.#cluster.backoff()
    for (;;) {
      const leader = await this.#cluster.leader(partition)
      try {
        const connection = await this.#cluster.connections.get(purpose, leader.node)
        const answer = await request(connection, leader)
        const { errorCode } = answer
        if (errorCode === noError) return answer
        const failure = brokerErrorOf(errorCode, doing, partition)
        if (kafkaFailure(errorCode).handling === 'fail') throw failure
        this.#cluster.forgetTopic(topic)
        await backoff.pause(failure)
      } catch (error) {
        if (!isUnavailable(error) || backoff.isOver) throw error
        this.#cluster.forgetTopic(topic)
        await backoff.pause(error)
      }
    }
  }

  async #metadata(specs: readonly TopicSpec[]): Promise<ReadonlyMap<string, TopicMetadata>> {
    const topics =
      specs.length === 0 ? [] : await this.#cluster.describe(specs.map(({ name }) => name))
    return new Map(topics.map((topic) => [topic.name, topic]))
  }

  async #described(topics: readonly TopicMetadata[]): Promise<readonly TopicDescription[]> {
    const configs = await this.#configs.read(topics.map(({ name }) => name))
    return topics.flatMap(({ name, topicId, leaderIds, replicas }) => {
      const config = configs.get(name)
      const partitions = leaderIds.length
      return config === undefined ? [] : [{ name, topicId, config, partitions, replicas }]
    })
  }

  /** Every partition has a leader, and the counts are those wanted. */
  async #untilReady(specs: readonly TopicSpec[]): Promise<void> {
    await this.#until('new topics have no leaders yet', async () => {
      const topics = await this.#metadata(specs)
      for (const spec of specs) checkPartitions(spec, topics.get(spec.name))
      return specs.every(({ name }) => {
        const leaderIds = topics.get(name)?.leaderIds ?? []
        return leaderIds.length > 0 && leaderIds.every((id) => id >= 0)
      })
    })
  }

  async #until(problem: string, isDone: () => Promise<boolean>): Promise<void> {
    const backoff = this.#cluster.backoff({ mostMs: 100 })
    while (!(await isDone())) await backoff.pause(new BrokerError('BROKER_UNAVAILABLE', problem))
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

interface ListOffsetQuestion {
  readonly isolation: number
  readonly timestamp: bigint
}

const listOffset = async (
  connection: Connection,
  { topic: name, partition: partitionIndex }: TopicPartition,
  { isolation, timestamp }: ListOffsetQuestion,
): Promise<{ readonly errorCode: number; readonly offset: bigint }> => {
  const { topics } = await call(listOffsetsV8.api, connection, -1, isolation, [
    { name, partitions: [{ partitionIndex, currentLeaderEpoch: -1, timestamp }] },
  ])
  return topics[0]?.partitions[0] ?? { errorCode: kafkaCodes.unknownTopic, offset: -1n }
}

const checkPartitions = (spec: TopicSpec, existing: TopicMetadata | undefined): void => {
  const { name, partitions } = spec
  const found = existing?.leaderIds.length
  if (found === undefined || found === partitions) return
  throw new BrokerError(
    'BROKER_INVALID_REQUEST',
    `topic ${name} exists with ${found} partitions, ${partitions} are wanted`,
    { topic: name },
  )
}
