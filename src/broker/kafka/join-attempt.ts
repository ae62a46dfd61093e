/**
 * One member on its way into a generation: JoinGroup, and SyncGroup with the leader's assignment.
 *
 * ```
 *   ──JoinGroup──► answered when every member has joined ──SyncGroup──► in the generation
 *        ▲ │                                                   │
 *        │ └ MEMBER_ID_REQUIRED: again, with the id            │
 *        └───────────── a newer rebalance began ◄──────────────┘
 * ```
 * Made by `group-classic.ts` for each join. 1. The member id survives lost connections: asking
 * again with it is the same member, not a second one. 2. The leader's `assign` runs once per
 * generation; if it throws, the member leaves, so that the others choose another leader.
 */

import {
  type Connection,
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
} from '@platformatic/kafka'
import type { GroupMemberMetadata, GroupMetadata, JoinedGeneration, JoinRequest } from '../port.ts'
import type { Cluster } from './cluster.ts'
import { brokerErrorOf, kafkaCodes, noError } from './errors.ts'
import { call } from './protocol/call.ts'
import { joinGroup, type JoinGroupAnswer } from './protocol/join-group.ts'
import { leaveGroup } from './protocol/leave-group.ts'
import { syncGroup, type SyncGroupAnswer } from './protocol/sync-group.ts'

/** As Kafka's own clients, so that its tools show the group. */
const protocolType = 'consumer'
const protocolName = 'millrace'
const subscriptionVersion = 1

export interface JoinHooks {
  /** As `JoinRequest.assign`; may take its time. */
  assign(
    members: readonly GroupMemberMetadata[],
  ): ReadonlyMap<string, Uint8Array> | Promise<ReadonlyMap<string, Uint8Array>>
  /** The member is in this generation, though it does not know its part yet: heartbeats are due. */
  onGeneration?(member: GroupMetadata): void
}

export interface JoinAttemptOptions {
  readonly cluster: Cluster
  readonly request: Omit<JoinRequest, 'assign'>
  readonly hooks: JoinHooks
  readonly rebalanceTimeoutMs: number
  /** Of a connection for this attempt alone: the coordinator holds its answers. */
  readonly purpose: string
  /** How long one answer may take, in ms. */
  readonly requestTimeoutMs: number
}

interface Assignment {
  readonly memberId: string
  readonly assignment: Buffer
}

export class JoinAttempt {
  readonly #options: JoinAttemptOptions
  readonly #request: JoinAttemptOptions['request']
  #memberId: string

  constructor(options: JoinAttemptOptions) {
    this.#options = options
    this.#request = options.request
    this.#memberId = options.request.memberId
  }

  /**
   * @throws {BrokerError} as `Groups.join`
   * @throws what the leader's `assign` threw
   */
  async run(): Promise<JoinedGeneration> {
    for (;;) {
      const joined = await this.#join()
      if (joined === undefined) continue
      this.#options.hooks.onGeneration?.(this.#member(joined))
      const { errorCode, assignment } = await this.#sync(joined, await this.#assignments(joined))
      if (errorCode === noError) return this.#generation(joined, assignment)
      // the generation ended before we knew our part of it
      const isOver =
        errorCode === kafkaCodes.rebalanceInProgress || errorCode === kafkaCodes.illegalGeneration
      if (!isOver) throw this.#error('sync', errorCode)
    }
  }

  /** Undefined: to be asked again. */
  async #join(): Promise<JoinGroupAnswer | undefined> {
    const { groupId, sessionTimeoutMs, metadata, topics = [] } = this.#request
    const subscription = encodeConsumerProtocolSubscription({
      version: subscriptionVersion,
      topics: [...topics],
      userData: Buffer.from(metadata),
    })
    const answer = await this.#ask('join', codeOf, (connection) =>
      call(
        joinGroup,
        connection,
        groupId,
        sessionTimeoutMs,
        this.#options.rebalanceTimeoutMs,
        this.#memberId,
        this.#instanceId,
        protocolType,
        [{ name: protocolName, metadata: subscription }],
        null,
      ),
    )
    if (answer.errorCode === noError || answer.errorCode === kafkaCodes.memberIdRequired) {
      this.#memberId = answer.memberId
      return answer.errorCode === noError ? answer : undefined
    }
    const isNew = this.#memberId !== this.#request.memberId
    if (answer.errorCode !== kafkaCodes.unknownMemberId || !isNew) {
      throw this.#error('join', answer.errorCode)
    }
    // an id that we were given just now: a coordinator that moved knows nothing of it
    this.#memberId = this.#request.memberId
    return undefined
  }

  #sync(
    { generationId, protocolName: name }: JoinGroupAnswer,
    assignments: Assignment[],
  ): Promise<SyncGroupAnswer> {
    return this.#ask('sync', codeOf, (connection) =>
      call(
        syncGroup,
        connection,
        this.#request.groupId,
        generationId,
        this.#memberId,
        this.#instanceId,
        protocolType,
        name,
        assignments,
      ),
    )
  }

  /** Of the leader, for every member; nobody else has something to say. */
  async #assignments(joined: JoinGroupAnswer): Promise<Assignment[]> {
    if (joined.leaderId !== this.#memberId || joined.skipAssignment) return []
    try {
      const assigned = await this.#options.hooks.assign(
        joined.members.map(({ memberId, metadata }) => ({
          memberId,
          metadata: decodeConsumerProtocolSubscription(metadata).userData,
        })),
      )
      return [...assigned].map(([memberId, userData]) => ({
        memberId,
        assignment: encodeConsumerProtocolAssignment({
          version: subscriptionVersion,
          assignedPartitions: [],
          userData: Buffer.from(userData),
        }),
      }))
    } catch (error) {
      const member = { memberId: this.#memberId, groupInstanceId: this.#instanceId, reason: null }
      await this.#ask('leave', Number, (connection) =>
        call(leaveGroup, connection, this.#request.groupId, [member]),
      )
      throw error
    }
  }

  #generation(joined: JoinGroupAnswer, assignment: Buffer): JoinedGeneration {
    const { userData } = decodeConsumerProtocolAssignment(assignment)
    // a copy of its own: the caller keeps it
    return { ...this.#member(joined), assignment: Uint8Array.from(userData) }
  }

  #member({ generationId }: JoinGroupAnswer): GroupMetadata {
    const { groupId, instanceId } = this.#request
    const member = { groupId, memberId: this.#memberId, generationId }
    return instanceId === undefined ? member : { ...member, instanceId }
  }

  #ask<Answer>(
    verb: string,
    errorCode: (answer: Answer) => number,
    request: (connection: Connection) => Promise<Answer>,
  ): Promise<Answer> {
    const { cluster, purpose, requestTimeoutMs } = this.#options
    const { groupId } = this.#request
    return cluster.askCoordinator({
      kind: 'group',
      key: groupId,
      purpose,
      requestTimeoutMs,
      isRepeatable: true,
      doing: `${verb} of group ${groupId}`,
      errorCode,
      request,
    })
  }

  #error(verb: string, errorCode: number): Error {
    const { groupId, instanceId } = this.#request
    const name = this.#memberId === '' ? 'a new member' : `member ${this.#memberId}`
    const instance = instanceId === undefined ? '' : ` of instance ${instanceId}`
    return brokerErrorOf(errorCode, `${verb} of group ${groupId} by ${name}${instance}`)
  }

  get #instanceId(): string | null {
    return this.#request.instanceId ?? null
  }
}

const codeOf = ({ errorCode }: { readonly errorCode: number }): number => errorCode
