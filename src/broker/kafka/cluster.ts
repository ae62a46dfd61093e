/**
 * Who is who in a Kafka cluster: brokers, leaders of partitions, coordinators of groups and
 * transactional ids; and the connections to them.
 *
 * Opened by `KafkaBroker`; every other part of the adapter asks here. 1. What is known is cached
 * and asked for again when an answer says that it is old (`forgetTopic`, `forgetCoordinator`), or
 * when a connection was lost: a broker that comes back leads in a newer epoch.
 * 2. Any broker may be asked; the bootstrap addresses are tried when no known one answers.
 * 3. Calls wait out elections and start-ups up to `retryTimeoutMs`, then fail with
 * BROKER_UNAVAILABLE. 4. Nothing is known of records, producers or members.
 */

import {
  apiVersionsV3,
  type API,
  type Connection,
  findCoordinatorV4,
  metadataV12,
} from '@platformatic/kafka'
import type { Clock } from '../../clock.ts'
import { BrokerError } from '../errors.ts'
import type { TopicPartition } from '../port.ts'
import { Backoff, type BackoffOptions } from './backoff.ts'
import { type BrokerNode, Connections, type ConnectionsOptions } from './connections.ts'
import { brokerErrorOf, kafkaCodes, kafkaFailure, noError } from './errors.ts'
import { call } from './protocol/call.ts'
import { checkVersions } from './protocol/versions.ts'

export interface ClusterOptions extends ConnectionsOptions {
  readonly bootstrap: readonly BrokerNode[]
  readonly clock: Clock
  /** How long a call keeps trying before it fails with BROKER_UNAVAILABLE, in ms. */
  readonly retryTimeoutMs: number
}

export interface Leader {
  readonly node: BrokerNode
  readonly leaderEpoch: number
  readonly topicId: string
}

export interface TopicMetadata {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
  /** By partition; −1 while there is none. */
  readonly leaderIds: readonly number[]
  readonly leaderEpochs: readonly number[]
  /** Of the partition that has the fewest. */
  readonly replicas: number
}

export type CoordinatorKind = 'group' | 'transaction'

export interface CoordinatorCall<Answer> {
  readonly kind: CoordinatorKind
  readonly key: string
  /** Of the connection; see `Connections.get`. */
  readonly purpose: string
  readonly requestTimeoutMs?: number
  /** A lost connection is tried again only if the request may have its effect twice. */
  readonly isRepeatable: boolean
  /** For messages: `heartbeat of group orders`. */
  readonly doing: string
  request(connection: Connection): Promise<Answer>
  errorCode(answer: Answer): number
}

const adminPurpose = 'admin'
/** Every broker answers these at once: who does not is frozen, and another is asked. */
const lookUps = { purpose: 'look-up', requestTimeoutMs: 3_000 }
/** A topic just created may be unknown to the broker asked: this long it is asked again, in ms. */
const unknownTopicGraceMs = 300

export class Cluster {
  readonly clock: Clock
  readonly connections: Connections
  readonly retryTimeoutMs: number
  readonly #bootstrap: readonly BrokerNode[]
  readonly #nodes = new Map<number, BrokerNode>()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #lookups = new Map<string, Promise<TopicMetadata>>()
  readonly #coordinators = new Map<string, BrokerNode>()
  #clusterId: string | undefined
  /** Which broker is asked first. */
  #turn = 0

  private constructor(options: ClusterOptions) {
    this.clock = options.clock
    this.retryTimeoutMs = options.retryTimeoutMs
    this.#bootstrap = options.bootstrap
    this.connections = new Connections(options, (node) => this.forgetLeader(node))
  }

  /**
   * Connects to the first bootstrap address that answers; waits up to `retryTimeoutMs` for one.
   *
   * @throws {BrokerError} BROKER_UNAVAILABLE, BROKER_NOT_AUTHORIZED; BROKER_INVALID_REQUEST if the
   * brokers are too old
   */
  static async open(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options)
    try {
      checkVersions(await cluster.ask(apiVersionsV3.api, 'millrace', '1'))
      await cluster.#metadata([])
    } catch (error) {
      await cluster.close()
      throw error
    }
    return cluster
  }

  get clusterId(): string {
    return this.#clusterId ?? ''
  }

  backoff(options: Partial<BackoffOptions> = {}): Backoff {
    return new Backoff(this.clock, { timeoutMs: this.retryTimeoutMs, ...options })
  }

  /**
   * Asks any broker; when a connection is lost, the next one: for what may be done twice. Error
   * codes are in the answer.
   */
  ask<Arguments extends unknown[], Answer>(
    api: API<Arguments, Answer>,
    ...args: Arguments
  ): Promise<Answer> {
    return this.#ask({ purpose: adminPurpose }, api, args)
  }

  /** @throws {BrokerError} BROKER_UNKNOWN_TOPIC, BROKER_NOT_AUTHORIZED, BROKER_UNAVAILABLE */
  async topic(name: string): Promise<TopicMetadata> {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    const running = this.#lookups.get(name)
    if (running !== undefined) return running
    const lookup = this.#lookUp(name).finally(() => this.#lookups.delete(name))
    this.#lookups.set(name, lookup)
    return lookup
  }

  /** Waits out an election. @throws {BrokerError} as `topic`, and for a partition there is not */
  async leader({ topic: name, partition }: TopicPartition): Promise<Leader> {
    const backoff = this.backoff({ firstMs: 20 })
    for (;;) {
      const topic = await this.topic(name)
      const leaderId = topic.leaderIds[partition]
      if (leaderId === undefined) throw unknownPartition(name, partition, topic)
      const node = this.#nodes.get(leaderId)
      if (node !== undefined) {
        return { node, leaderEpoch: topic.leaderEpochs[partition]!, topicId: topic.topicId }
      }
      this.forgetTopic(name)
      await backoff.pause(
        new BrokerError('BROKER_UNAVAILABLE', `${name}-${partition} has no leader`, {
          topic: name,
          partition,
        }),
      )
    }
  }

  /** The answer of a broker showed that its leaders are not what we know. */
  forgetTopic(name: string): void {
    this.#topics.delete(name)
  }

  /** What this broker led, others lead now, or it does so in a newer epoch. */
  forgetLeader({ host, port }: BrokerNode): void {
    for (const [id, node] of this.#nodes) {
      if (node.host !== host || node.port !== port) continue
      for (const [name, { leaderIds }] of this.#topics) {
        if (leaderIds.includes(id)) this.#topics.delete(name)
      }
    }
  }

  /** Topics by name; null asks for all. Unknown ones are absent. Never from the cache. */
  async describe(names: readonly string[] | null): Promise<readonly TopicMetadata[]> {
    const { topics } = await this.#metadata(names)
    const found: TopicMetadata[] = []
    for (const topic of topics) {
      if (topic.errorCode === kafkaCodes.unknownTopic) continue
      if (topic.errorCode !== noError) throw topicError(topic)
      found.push(this.#learn(topic))
    }
    return found
  }

  /** Brokers that are up. */
  async brokerCount(): Promise<number> {
    return (await this.#metadata([])).brokers.length
  }

  async coordinator(kind: CoordinatorKind, key: string): Promise<BrokerNode> {
    const known = this.#coordinators.get(`${kind}:${key}`)
    if (known !== undefined) return known
    const doing = `look-up of the coordinator of ${kind} ${key}`
    const backoff = this.backoff({ firstMs: 20 })
    for (;;) {
      const {
        coordinators: [found],
      } = await this.#ask(lookUps, findCoordinatorV4.api, [kind === 'group' ? 0 : 1, [key]])
      if (found !== undefined && found.errorCode === noError) {
        this.#coordinators.set(`${kind}:${key}`, found)
        return found
      }
      const errorCode = found?.errorCode ?? 15
      const failure = brokerErrorOf(errorCode, doing, {}, found?.errorMessage ?? null)
      if (kafkaFailure(errorCode).handling === 'fail') throw failure
      await backoff.pause(failure)
    }
  }

  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.#coordinators.delete(`${kind}:${key}`)
  }

  /**
   * One request to a coordinator: moved and loading coordinators are waited out. Other error codes
   * are the caller's; it finds them in the answer.
   *
   * @throws {BrokerError} BROKER_UNAVAILABLE; of a request that is not repeatable, with an unknown
   * outcome
   */
  async askCoordinator<Answer>(asked: CoordinatorCall<Answer>): Promise<Answer> {
    const { kind, key, purpose, doing } = asked
    const backoff = this.backoff()
    for (;;) {
      let isSent = false
      try {
        const node = await this.coordinator(kind, key)
        const connection = await this.connections.get(purpose, node, asked.requestTimeoutMs)
        isSent = true
        const answer = await asked.request(connection)
        const errorCode = asked.errorCode(answer)
        if (!isCoordinatorTrouble(errorCode)) return answer
        this.forgetCoordinator(kind, key)
        await backoff.pause(brokerErrorOf(errorCode, doing))
      } catch (error) {
        if (!isUnavailable(error)) throw error
        this.forgetCoordinator(kind, key)
        if (backoff.isOver || (isSent && !asked.isRepeatable)) throw error
        await backoff.pause(error)
      }
    }
  }

  close(): Promise<void> {
    return this.connections.close()
  }

  async #ask<Arguments extends unknown[], Answer>(
    connecting: Connecting,
    api: API<Arguments, Answer>,
    args: Arguments,
  ): Promise<Answer> {
    const backoff = this.backoff()
    for (;;) {
      try {
        return await call(api, await this.#anyConnection(connecting), ...args)
      } catch (error) {
        if (!isUnavailable(error)) throw error
        this.#turn += 1
        await backoff.pause(error)
      }
    }
  }

  async #lookUp(name: string): Promise<TopicMetadata> {
    const grace = this.backoff({ timeoutMs: unknownTopicGraceMs, firstMs: 20 })
    const backoff = this.backoff({ firstMs: 20 })
    for (;;) {
      const { topics } = await this.#metadata([name])
      const topic = topics.find((found) => found.name === name)
      if (topic !== undefined && topic.errorCode === noError) return this.#learn(topic)
      const failure = topicError(topic ?? { name, errorCode: kafkaCodes.unknownTopic })
      if (failure.code === 'BROKER_UNKNOWN_TOPIC') await grace.pause(failure)
      else if (failure.action === 'retry') await backoff.pause(failure)
      else throw failure
    }
  }

  async #metadata(names: readonly string[] | null): Promise<metadataV12.MetadataResponse> {
    const topics = names === null ? null : [...names]
    const answer = await this.#ask(lookUps, metadataV12.api, [topics, false, false])
    if (answer.brokers.length > 0) {
      this.#nodes.clear()
      for (const { nodeId, host, port } of answer.brokers) this.#nodes.set(nodeId, { host, port })
    }
    this.#clusterId = answer.clusterId ?? this.#clusterId
    return answer
  }

  #learn(found: metadataV12.MetadataResponseTopic): TopicMetadata {
    const { name, topicId, isInternal, partitions } = found
    const sorted = partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex)
    const topic = {
      name: name!,
      topicId,
      isInternal,
      leaderIds: sorted.map(({ leaderId }) => leaderId),
      leaderEpochs: sorted.map(({ leaderEpoch }) => leaderEpoch),
      replicas: Math.min(...sorted.map(({ replicaNodes }) => replicaNodes.length)),
    }
    this.#topics.set(topic.name, topic)
    return topic
  }

  /** Of a known broker, else of a bootstrap address; not first of one that just failed. */
  async #anyConnection({ purpose, requestTimeoutMs }: Connecting): Promise<Connection> {
    const known = [...this.#nodes.values()]
    const asked = known.length === 0 ? this.#bootstrap : known
    const first = this.#turn % asked.length
    let failure: unknown = new BrokerError('BROKER_UNAVAILABLE', 'no broker is known')
    for (const node of [...asked.slice(first), ...asked.slice(0, first), ...this.#bootstrap]) {
      try {
        return await this.connections.get(purpose, node, requestTimeoutMs)
      } catch (error) {
        failure = error
        if (!isUnavailable(error)) throw error
      }
    }
    throw failure
  }
}

interface Connecting {
  readonly purpose: string
  readonly requestTimeoutMs?: number
}

export const isUnavailable = (error: unknown): error is BrokerError =>
  error instanceof BrokerError && error.code === 'BROKER_UNAVAILABLE'

/** Loading, moved, not there yet. */
const isCoordinatorTrouble = (errorCode: number): boolean =>
  (errorCode >= 14 && errorCode <= 16) || kafkaFailure(errorCode).handling === 'coordinator'

type NamedError = Pick<metadataV12.MetadataResponseTopic, 'name' | 'errorCode'>

const topicError = ({ name, errorCode }: NamedError) =>
  brokerErrorOf(errorCode, `topic ${name}`, { topic: name ?? '' })

const unknownPartition = (topic: string, partition: number, { leaderIds }: TopicMetadata) =>
  new BrokerError(
    'BROKER_UNKNOWN_TOPIC',
    `topic ${topic} has ${leaderIds.length} partitions, there is no ${partition}`,
    { topic, partition },
  )
