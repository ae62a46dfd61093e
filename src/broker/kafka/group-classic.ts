/**
 * Membership by Kafka's classic protocol: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
 *
 * The part of the port's `Groups` that knows members; committed offsets are elsewhere. 1. A join
 * has a connection of its own, since the coordinator holds its answer until the rebalance is over.
 * 2. A heartbeat that learns of a rebalance answers so; it is no failure. 3. The instance id of a
 * static member goes with every request: a member that was replaced is told so by it.
 */

import {
  type Connection,
  decodeConsumerProtocolSubscription,
  describeGroupsV5,
} from '@platformatic/kafka'
import type {
  GroupMemberMetadata,
  GroupMetadata,
  Groups,
  JoinedGeneration,
  JoinRequest,
} from '../port.ts'
import type { Cluster } from './cluster.ts'
import { brokerErrorOf, kafkaCodes, noError } from './errors.ts'
import { JoinAttempt, type JoinHooks } from './join-attempt.ts'
import { call } from './protocol/call.ts'
import { heartbeat } from './protocol/heartbeat.ts'
import { leaveGroup } from './protocol/leave-group.ts'

export interface ClassicGroupsOptions {
  readonly cluster: Cluster
  /** How long a rebalance waits for members to commit and join again, in ms; default 60,000. */
  readonly rebalanceTimeoutMs?: number
  /** After so long without an answer a heartbeat is asked again, of the coordinator of then. */
  readonly heartbeatTimeoutMs?: number
}

const rebalanceTimeoutDefaultMs = 60_000
/** On top of the rebalance time-out: the coordinator answers a little after it. */
const joinMarginMs = 15_000

export class ClassicGroups implements Pick<Groups, 'join' | 'heartbeat' | 'leave' | 'members'> {
  readonly #cluster: Cluster
  readonly #rebalanceTimeoutMs: number
  readonly #heartbeatTimeoutMs: number | undefined
  #joins = 0

  constructor({ cluster, rebalanceTimeoutMs, heartbeatTimeoutMs }: ClassicGroupsOptions) {
    this.#cluster = cluster
    this.#heartbeatTimeoutMs = heartbeatTimeoutMs
    this.#rebalanceTimeoutMs = rebalanceTimeoutMs ?? rebalanceTimeoutDefaultMs
  }

  join({ assign, ...request }: JoinRequest): Promise<JoinedGeneration> {
    return this.joinWith(request, { assign })
  }

  /** As `join`, for a caller that assigns elsewhere and keeps the member alive meanwhile. */
  async joinWith(
    request: Omit<JoinRequest, 'assign'>,
    hooks: JoinHooks,
  ): Promise<JoinedGeneration> {
    const cluster = this.#cluster
    const rebalanceTimeoutMs = this.#rebalanceTimeoutMs
    const requestTimeoutMs = Math.max(rebalanceTimeoutMs, request.sessionTimeoutMs) + joinMarginMs
    this.#joins += 1
    const purpose = `join-${this.#joins}`
    try {
      return await new JoinAttempt({
        cluster,
        request,
        hooks,
        rebalanceTimeoutMs,
        purpose,
        requestTimeoutMs,
      }).run()
    } finally {
      cluster.connections.drop(purpose)
    }
  }

  async heartbeat(member: GroupMetadata): Promise<'stable' | 'rebalancing'> {
    const { groupId, memberId, generationId, instanceId = null } = member
    const errorCode = await this.#ask('heartbeat', member, (connection) =>
      call(heartbeat, connection, groupId, generationId, memberId, instanceId),
    )
    if (errorCode === kafkaCodes.rebalanceInProgress) return 'rebalancing'
    if (errorCode === noError) return 'stable'
    throw errorOf('heartbeat', member, errorCode)
  }

  async leave(member: GroupMetadata): Promise<void> {
    const { groupId, memberId, instanceId: groupInstanceId = null } = member
    const errorCode = await this.#ask('leave', member, (connection) =>
      call(leaveGroup, connection, groupId, [{ memberId, groupInstanceId, reason: 'closing' }]),
    )
    if (errorCode !== noError) throw errorOf('leave', member, errorCode)
  }

  /** Kafka shows what members said of themselves only while no rebalance is on. */
  async members(groupId: string): Promise<readonly GroupMemberMetadata[]> {
    const doing = `members of group ${groupId}`
    const { groups } = await this.#cluster.askCoordinator<DescribedGroups>({
      kind: 'group',
      key: groupId,
      purpose: 'group',
      isRepeatable: true,
      doing,
      errorCode: ({ groups: [group] }) => group?.errorCode ?? noError,
      request: (connection) => call(describeGroupsV5.api, connection, [groupId], false),
    })
    const group = groups[0]
    if (group === undefined || group.errorCode === kafkaCodes.groupIdNotFound) return []
    if (group.errorCode !== noError) throw brokerErrorOf(group.errorCode, doing)
    return group.members
      .filter(({ memberMetadata }) => memberMetadata.length > 0)
      .map(({ memberId, memberMetadata }) => ({
        memberId,
        metadata: decodeConsumerProtocolSubscription(memberMetadata).userData,
      }))
  }

  /** All of it may be done twice. */
  #ask(
    verb: string,
    { groupId }: GroupMetadata,
    request: (connection: Connection) => Promise<number>,
  ): Promise<number> {
    return this.#cluster.askCoordinator({
      kind: 'group',
      key: groupId,
      purpose: 'group',
      ...(this.#heartbeatTimeoutMs !== undefined && { requestTimeoutMs: this.#heartbeatTimeoutMs }),
      isRepeatable: true,
      doing: `${verb} of group ${groupId}`,
      errorCode: (errorCode) => errorCode,
      request,
    })
  }
}

type DescribedGroups = describeGroupsV5.DescribeGroupsResponse

const errorOf = (
  verb: string,
  { groupId, memberId, instanceId }: GroupMetadata,
  errorCode: number,
): Error => {
  const instance = instanceId === undefined ? '' : ` of instance ${instanceId}`
  return brokerErrorOf(errorCode, `${verb} of group ${groupId} by member ${memberId}${instance}`)
}
