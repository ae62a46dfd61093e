/**
 * Membership by Kafka's classic protocol: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
 *
 * The part of the port's `Groups` that knows members; committed offsets are elsewhere. 1. A join
 * has a connection of its own, since the coordinator holds its answer until the rebalance is over.
 * 2. A heartbeat that learns of a rebalance answers so; it is no failure. 3. What the port's
 * metadata does not carry, the instance id of a static member, is remembered here by member id.
 */

import { type GroupMetadata, type Groups, type JoinedGeneration, type JoinRequest }
  from '../port.ts'
import { type GroupConnections } from './group-connections.ts'
import { groupError, groupErrors } from './group-errors.ts'
import { JoinAttempt } from './join-attempt.ts'
import { heartbeat } from './protocol/heartbeat.ts'
import { leaveGroup } from './protocol/leave-group.ts'

export interface ClassicGroupsOptions {
  readonly connections: GroupConnections
  /** How long a rebalance waits for members to commit and join again, in ms; default 60,000. */
  readonly rebalanceTimeoutMs?: number
}

const rebalanceTimeoutDefaultMs = 60_000
/** On top of the rebalance time-out: the coordinator answers a little after it. */
const joinMarginMs = 15_000
const joinRetryMs = 30_000
const retryMs = 5_000

export class ClassicGroups implements Pick<Groups, 'join' | 'heartbeat' | 'leave'> {
  readonly #connections: GroupConnections
  readonly #rebalanceTimeoutMs: number
  /** Of static members, by member id. */
  readonly #instanceIds = new Map<string, string>()

  constructor({ connections, rebalanceTimeoutMs }: ClassicGroupsOptions) {
    this.#connections = connections
    this.#rebalanceTimeoutMs = rebalanceTimeoutMs ?? rebalanceTimeoutDefaultMs
  }

  async join(request: JoinRequest): Promise<JoinedGeneration> {
    const { groupId, instanceId } = request
    const attempt = new JoinAttempt(request, this.#rebalanceTimeoutMs)
    const answerMaxMs = Math.max(this.#rebalanceTimeoutMs, request.sessionTimeoutMs) + joinMarginMs
    const joined = await this.#connections.run(
      { groupId, exclusive: true, retryMs: joinRetryMs, answerMaxMs },
      (connection) => attempt.run(connection))
    if (instanceId !== undefined) this.#instanceIds.set(joined.memberId, instanceId)
    return joined
  }

  async heartbeat(member: GroupMetadata): Promise<'stable' | 'rebalancing'> {
    const { groupId, memberId, generationId } = member
    const code = await this.#ask(member, (connection) =>
      heartbeat.async(connection, groupId, generationId, memberId, this.#instanceId(member)))
    if (code === groupErrors.rebalanceInProgress) return 'rebalancing'
    if (code === groupErrors.none) return 'stable'
    throw errorOf(code, member)
  }

  async leave(member: GroupMetadata): Promise<void> {
    const { groupId, memberId } = member
    const groupInstanceId = this.#instanceId(member)
    const code = await this.#ask(member, (connection) =>
      leaveGroup.async(connection, groupId, [{ memberId, groupInstanceId, reason: 'closing' }]))
    this.#instanceIds.delete(memberId)
    if (code !== groupErrors.none) throw errorOf(code, member)
  }

  /** Throws what must be asked again within the run, so that it is. */
  #ask(
    member: GroupMetadata,
    call: (connection: Parameters<typeof heartbeat.async>[0]) => Promise<number>,
  ): Promise<number> {
    const { groupId } = member
    return this.#connections.run({ groupId, exclusive: false, retryMs, answerMaxMs: 0 },
      async (connection) => {
        const code = await call(connection)
        if (isMoving(code)) throw errorOf(code, member)
        return code
      })
  }

  #instanceId({ memberId }: GroupMetadata): string | null {
    return this.#instanceIds.get(memberId) ?? null
  }
}

const isMoving = (code: number): boolean =>
  code === groupErrors.coordinatorLoading
  || code === groupErrors.coordinatorNotAvailable
  || code === groupErrors.notCoordinator

const errorOf = (code: number, { groupId, memberId }: GroupMetadata): Error =>
  groupError(code, groupId, `member ${memberId} of group ${groupId}`)
