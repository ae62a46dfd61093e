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
  type Connection, decodeConsumerProtocolAssignment, decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment, encodeConsumerProtocolSubscription,
} from '@platformatic/kafka'
import { type JoinedGeneration, type JoinRequest } from '../port.ts'
import { groupError, groupErrors } from './group-errors.ts'
import { joinGroup, type JoinGroupAnswer } from './protocol/join-group.ts'
import { leaveGroup } from './protocol/leave-group.ts'
import { syncGroup } from './protocol/sync-group.ts'

/** As Kafka's own clients, so that its tools show the group. */
const protocolType = 'consumer'
const protocolName = 'millrace'
const subscriptionVersion = 1

interface Assignment {
  readonly memberId: string
  readonly assignment: Buffer
}

export class JoinAttempt {
  readonly #request: JoinRequest
  readonly #rebalanceTimeoutMs: number
  #memberId: string

  constructor(request: JoinRequest, rebalanceTimeoutMs: number) {
    this.#request = request
    this.#rebalanceTimeoutMs = rebalanceTimeoutMs
    this.#memberId = request.memberId
  }

  /**
   * @throws {CoordinatorMovedError} run it again on a connection to the new one
   * @throws {BrokerError} as `Groups.join`
   * @throws what the leader's `assign` threw
   */
  async run(connection: Connection): Promise<JoinedGeneration> {
    for (;;) {
      const joined = await this.#join(connection)
      if (joined === undefined) continue
      const answer = await syncGroup.async(connection, this.#request.groupId, joined.generationId,
        this.#memberId, this.#instanceId, protocolType, joined.protocolName,
        await this.#assignments(joined, connection))
      if (answer.error === groupErrors.none) return this.#generation(joined, answer.assignment)
      // the generation ended before we knew our part of it
      const isOver = answer.error === groupErrors.rebalanceInProgress
        || answer.error === groupErrors.illegalGeneration
      if (!isOver) throw this.#error(answer.error)
    }
  }

  /** Undefined: to be asked again. */
  async #join(connection: Connection): Promise<JoinGroupAnswer | undefined> {
    const { groupId, sessionTimeoutMs, metadata, topics = [] } = this.#request
    const userData = Buffer.from(metadata)
    const subscription = encodeConsumerProtocolSubscription({
      version: subscriptionVersion, topics: [...topics], userData,
    })
    const answer = await joinGroup.async(connection, groupId, sessionTimeoutMs,
      this.#rebalanceTimeoutMs, this.#memberId, this.#instanceId, protocolType,
      [{ name: protocolName, metadata: subscription }], null)
    if (answer.error === groupErrors.none) {
      this.#memberId = answer.memberId
      return answer
    }
    if (answer.error === groupErrors.memberIdRequired) {
      this.#memberId = answer.memberId
      return undefined
    }
    const isOurs = this.#memberId === this.#request.memberId
    if (answer.error === groupErrors.unknownMember && !isOurs) {
      // an id we were given and never used in a generation: the coordinator forgot it
      this.#memberId = this.#request.memberId
      return undefined
    }
    throw this.#error(answer.error)
  }

  /** Of the leader, for every member; nobody else has something to say. */
  async #assignments(
    joined: JoinGroupAnswer, connection: Connection,
  ): Promise<Assignment[]> {
    if (joined.leaderId !== this.#memberId || joined.skipAssignment) return []
    try {
      const assigned = this.#request.assign(joined.members.map(({ memberId, metadata }) =>
        ({ memberId, metadata: decodeConsumerProtocolSubscription(metadata).userData })))
      return [...assigned].map(([memberId, bytes]) => {
        const userData = Buffer.from(bytes)
        const assignment = encodeConsumerProtocolAssignment({
          version: subscriptionVersion, assignedPartitions: [], userData,
        })
        return { memberId, assignment }
      })
    } catch (error) {
      await leaveGroup.async(connection, this.#request.groupId,
        [{ memberId: this.#memberId, groupInstanceId: this.#instanceId, reason: 'assign failed' }])
      throw error
    }
  }

  #generation(joined: JoinGroupAnswer, assignment: Buffer): JoinedGeneration {
    const { userData } = decodeConsumerProtocolAssignment(assignment)
    return {
      groupId: this.#request.groupId,
      memberId: this.#memberId,
      generationId: joined.generationId,
      // a copy of its own: the caller keeps it
      assignment: Uint8Array.from(userData),
    }
  }

  #error(code: number): Error {
    const { groupId } = this.#request
    const name = this.#memberId === '' ? 'a new member' : `member ${this.#memberId}`
    return groupError(code, groupId, `${name} of group ${groupId}`)
  }

  get #instanceId(): string | null {
    return this.#request.instanceId ?? null
  }
}
