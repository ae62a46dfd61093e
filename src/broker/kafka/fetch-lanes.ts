/**
 * Sends the fetch requests of one fetcher: one per leader and turn, each on a connection of its
 * own, since a long poll holds up whatever comes behind it.
 *
 * Used by `KafkaFetcher` only. 1. A partition is in one request at a time. 2. Partitions take
 * turns to be first: the broker fills an answer in the order of the request. 3. When all lanes to
 * a leader are taken, partitions stay unsent until one is free. 4. Each lane has a fetch session of
 * its own; where the broker does not know it any more, all is asked for again at once.
 */

import type { Connection } from '@platformatic/kafka'
import { BrokerError } from '../errors.ts'
import type { Cluster, Leader } from './cluster.ts'
import type { BrokerNode } from './connections.ts'
import { brokerErrorOf, connectionErrorOf, kafkaCodes, kafkaFailure, noError } from './errors.ts'
import { FetchSession } from './fetch-session.ts'
import type { PartitionFetch, SentRequest } from './partition-fetch.ts'
import { call } from './protocol/call.ts'
import { type FetchAnswer, fetchApi, type FetchedPartition } from './protocol/fetch.ts'

export interface FetchLanesOptions {
  readonly cluster: Cluster
  /** Unique; begins the purposes of the connections. */
  readonly name: string
  /** An answer, a failure, or a lane that is free again. */
  onChange(): void
}

const lanesPerLeader = 4
const answerBytesMax = 64 * 1024 * 1024

interface Targeted {
  readonly partition: PartitionFetch
  readonly leader: Leader
}

export class FetchLanes {
  readonly #options: FetchLanesOptions
  readonly #taken = new Set<string>()
  /** By lane. */
  readonly #sessions = new Map<string, FetchSession>()
  #turn = 0

  constructor(options: FetchLanesOptions) {
    this.#options = options
  }

  /** @param waitMs  how long the broker may wait for a first record */
  send(partitions: readonly PartitionFetch[], waitMs: number): void {
    const first = partitions[0]
    if (first === undefined) return
    const { clock } = this.#options.cluster
    const request = { isolation: first.isolation, sentAtMs: clock.nowMs() }
    for (const partition of partitions) partition.sent(request)
    void this.#send(partitions, request, waitMs)
  }

  drop(): void {
    this.#sessions.clear()
    for (let lane = 0; lane < lanesPerLeader; lane++) {
      this.#options.cluster.connections.drop(this.#purpose(lane))
    }
  }

  async #send(
    partitions: readonly PartitionFetch[],
    request: SentRequest,
    waitMs: number,
  ): Promise<void> {
    const targeted = await Promise.all(
      partitions.map((partition) => this.#target(partition, request)),
    )
    const byNode = Map.groupBy(
      targeted.filter((target) => target !== undefined),
      ({ leader: { node } }) => `${node.host}:${node.port}`,
    )
    for (const targets of byNode.values()) void this.#exchange(targets, request, waitMs)
    if (targeted.includes(undefined)) this.#options.onChange()
  }

  async #target(partition: PartitionFetch, request: SentRequest): Promise<Targeted | undefined> {
    try {
      const known = partition.leader
      const leader = known ?? (await this.#options.cluster.leader(partition))
      partition.topicId ??= leader.topicId
      if (partition.topicId !== leader.topicId) throw madeAgain(partition)
      partition.leader = leader
      return { partition, leader }
    } catch (error) {
      partition.lost(request, connectionErrorOf(error, 'fetch'))
      return undefined
    }
  }

  async #exchange(
    targets: readonly Targeted[],
    request: SentRequest,
    waitMs: number,
  ): Promise<void> {
    const { node } = targets[0]!.leader
    const lane = this.#freeLane(node)
    if (lane === undefined) {
      for (const { partition } of targets) partition.unsent(request)
      return
    }
    const key = laneKey(lane, node)
    this.#taken.add(key)
    const session = this.#sessions.get(key) ?? new FetchSession()
    this.#sessions.set(key, session)
    try {
      const connection = await this.#options.cluster.connections.get(this.#purpose(lane), node)
      await this.#ask(connection, { targets, request, waitMs, session })
    } catch (error) {
      session.reset()
      const failure = connectionErrorOf(error, 'fetch')
      for (const { partition } of targets) {
        this.#options.cluster.forgetTopic(partition.topic)
        partition.lost(request, failure)
      }
    } finally {
      this.#taken.delete(key)
      this.#options.onChange()
    }
  }

  async #ask(connection: Connection, exchange: Exchange): Promise<void> {
    const { targets, request } = exchange
    let { answer, partitions } = await this.#fetch(connection, exchange)
    if (sessionCodes.has(answer.errorCode)) {
      exchange.session.reset()
      ;({ answer, partitions } = await this.#fetch(connection, exchange))
    }
    if (answer.errorCode !== noError) throw brokerErrorOf(answer.errorCode, 'fetch')
    const byPlace = new Map(
      targets.map((target) => [
        placeOf(target.leader.topicId, target.partition.partition),
        target.partition,
      ]),
    )
    for (const fetched of partitions) {
      const place = placeOf(fetched.topicId, fetched.partition)
      const partition = byPlace.get(place)
      if (partition === undefined) continue
      byPlace.delete(place)
      if (kafkaFailure(fetched.errorCode).handling === 'metadata') {
        // whatever changed may have changed for all that this broker leads
        this.#options.cluster.forgetLeader(targets[0]!.leader.node)
      }
      if (fetched.errorCode !== noError) this.#options.cluster.forgetTopic(partition.topic)
      partition.answered(request, fetched)
    }
    for (const partition of byPlace.values()) {
      partition.lost(request, new BrokerError('BROKER_UNAVAILABLE', 'a fetch was answered in part'))
    }
  }

  async #fetch(
    connection: Connection,
    { targets, request: { isolation }, waitMs, session }: Exchange,
  ): Promise<Fetched> {
    const isCommitted = isolation === 'read_committed'
    const wanted = rotated(targets, this.#turn++).map(({ partition, leader }) => ({
      topicId: leader.topicId,
      partition: partition.partition,
      leaderEpoch: leader.leaderEpoch,
      offset: partition.offset,
      maxBytes: partition.maxBytes,
    }))
    const asked = session.request(wanted, isCommitted)
    const answer = await call(
      fetchApi,
      connection,
      waitMs,
      1,
      answerBytesMax,
      isCommitted ? 1 : 0,
      asked.sessionId,
      asked.sessionEpoch,
      asked.topics,
      asked.forgotten,
      '',
    )
    const isRefused = answer.errorCode !== noError
    return { answer, partitions: isRefused ? [] : session.answered(asked, answer) }
  }

  #freeLane(node: BrokerNode): number | undefined {
    for (let lane = 0; lane < lanesPerLeader; lane++) {
      if (!this.#taken.has(laneKey(lane, node))) return lane
    }
    return undefined
  }

  #purpose(lane: number): string {
    return `${this.#options.name}:${lane}`
  }
}

const madeAgain = ({ topic, partition }: PartitionFetch): BrokerError =>
  new BrokerError(
    'BROKER_UNKNOWN_TOPIC',
    `topic ${topic} was deleted and made again: offsets of the old one mean nothing in it`,
    { topic, partition },
  )

interface Exchange {
  readonly targets: readonly Targeted[]
  readonly request: SentRequest
  readonly waitMs: number
  readonly session: FetchSession
}

interface Fetched {
  readonly answer: FetchAnswer
  /** Those too that the broker left out, since nothing is new of them. */
  readonly partitions: readonly FetchedPartition[]
}

/** The broker knows another session, or none. */
const sessionCodes: ReadonlySet<number> = new Set([
  kafkaCodes.fetchSessionIdNotFound,
  kafkaCodes.invalidFetchSessionEpoch,
  kafkaCodes.fetchSessionTopicIdError,
])

const laneKey = (lane: number, { host, port }: BrokerNode): string => `${lane}@${host}:${port}`

const placeOf = (topicId: string, partition: number): string => `${topicId}:${partition}`

const rotated = <T>(items: readonly T[], turn: number): readonly T[] => {
  const first = turn % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}
