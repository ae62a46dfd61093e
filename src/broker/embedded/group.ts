/**
 * One consumer group: members, generation, and the rebalance that makes the next one.
 *
 * ```
 *   empty ──join──► rebalancing ──every member has joined──► stable
 *     ▲                 ▲                                      │
 *     └──last leaves──  └──join, leave, session lost───────────┘
 * ```
 * Owned by `GroupCoordinator`. 1. A generation is made when every known member has joined, at
 * once, or when the rebalance time-out has removed the rest. 2. The leader's `assign` runs
 * synchronously; if it throws, the leader's join fails and the others choose a new one.
 * 3. A member that is joining has no session time-out.
 */

import type { Clock } from '../../clock.ts'
import { BrokerError } from '../errors.ts'
import type { GroupMetadata, JoinedGeneration, JoinRequest } from '../port.ts'

interface Member {
  readonly memberId: string
  request: JoinRequest
  assignment: Uint8Array
  joining: PromiseWithResolvers<JoinedGeneration> | undefined
  cancelSession: () => void
}

export interface GroupOptions {
  readonly groupId: string
  readonly clock: Clock
  readonly rebalanceTimeoutMs: number
  newMemberId(): string
}

export class Group {
  readonly #options: GroupOptions
  readonly #members = new Map<string, Member>()
  /** Instance id → the member that holds it. */
  readonly #static = new Map<string, string>()
  #state: 'empty' | 'rebalancing' | 'stable' = 'empty'
  #generationId = 0
  #leaderId: string | undefined
  #cancelRebalance: () => void = () => {}

  constructor(options: GroupOptions) {
    this.#options = options
  }

  /** @throws {BrokerError} BROKER_UNKNOWN_MEMBER: join without an id; BROKER_INSTANCE_FENCED */
  join(request: JoinRequest): Promise<JoinedGeneration> {
    if (request.memberId !== '') return this.#rejoin(this.#known(request), request)
    const heldBy = this.#static.get(request.instanceId ?? '')
    if (heldBy !== undefined) return this.#replace(this.#members.get(heldBy)!, request)
    const member = newMember(this.#options.newMemberId(), request)
    this.#add(member)
    return this.#enter(member, request)
  }

  heartbeat(metadata: GroupMetadata): 'stable' | 'rebalancing' {
    const member = this.check(metadata)
    if (member.joining === undefined) this.#startSession(member)
    return this.#state === 'stable' ? 'stable' : 'rebalancing'
  }

  leave(metadata: GroupMetadata): void {
    this.#remove(this.#known(metadata), unknownMember(metadata.memberId))
  }

  /** @throws {BrokerError} BROKER_UNKNOWN_MEMBER, BROKER_FENCED: the tasks are someone else's */
  check(metadata: GroupMetadata): Member {
    const { generationId } = metadata
    const member = this.#known(metadata)
    if (generationId === this.#generationId) return member
    throw new BrokerError(
      'BROKER_FENCED',
      `group ${this.#options.groupId} is at generation `
        + `${this.#generationId}, not ${generationId}`,
    )
  }

  /** Starts a rebalance for no reason of its own: a fault. */
  disturb(): void {
    if (this.#state === 'stable') this.#rebalance()
  }

  stop(): void {
    this.#cancelRebalance()
    for (const member of this.#members.values()) {
      member.cancelSession()
      member.joining?.reject(new BrokerError('BROKER_CLOSED', 'the embedded broker is closed'))
    }
  }

  /** Kafka's rule: only a leader, or a member with news, starts a rebalance by joining again. */
  #rejoin(member: Member, request: JoinRequest): Promise<JoinedGeneration> {
    const hasNews = !Buffer.from(member.request.metadata).equals(request.metadata)
    const isLeader = member.memberId === this.#leaderId
    if (this.#state !== 'stable' || hasNews || isLeader) return this.#enter(member, request)
    member.request = request
    this.#startSession(member)
    return Promise.resolve(this.#generationOf(member))
  }

  /** A static member came back: the old id is fenced, the assignment is kept. */
  #replace(old: Member, request: JoinRequest): Promise<JoinedGeneration> {
    const member = newMember(this.#options.newMemberId(), request)
    old.cancelSession()
    old.joining?.reject(fencedInstance(old.memberId, request.instanceId!))
    this.#members.delete(old.memberId)
    member.assignment = old.assignment
    this.#add(member)
    if (this.#leaderId === old.memberId) this.#leaderId = member.memberId
    if (this.#state !== 'stable') return this.#enter(member, request)
    this.#startSession(member)
    return Promise.resolve(this.#generationOf(member))
  }

  #enter(member: Member, request: JoinRequest): Promise<JoinedGeneration> {
    member.request = request
    member.cancelSession()
    member.joining ??= Promise.withResolvers()
    this.#rebalance()
    return member.joining.promise
  }

  #rebalance(): void {
    if (this.#state !== 'rebalancing') {
      this.#state = 'rebalancing'
      const { clock, rebalanceTimeoutMs } = this.#options
      this.#cancelRebalance = clock.setTimer(rebalanceTimeoutMs, () => this.#removeAbsent())
    }
    queueMicrotask(() => this.#completeIfJoined())
  }

  #removeAbsent(): void {
    for (const member of this.#members.values()) {
      if (member.joining === undefined) this.#remove(member, unknownMember(member.memberId))
    }
  }

  #completeIfJoined(): void {
    if (this.#state !== 'rebalancing') return
    const members = [...this.#members.values()]
    if (members.length === 0 || members.some(({ joining }) => joining === undefined)) return
    const leader = this.#members.get(this.#leaderId ?? '') ?? members[0]!
    this.#leaderId = leader.memberId
    let assignments: ReadonlyMap<string, Uint8Array>
    try {
      assignments = leader.request.assign(
        members.map(({ memberId, request }) => ({ memberId, metadata: request.metadata })),
      )
    } catch (error) {
      return this.#remove(leader, error)
    }
    this.#cancelRebalance()
    this.#generationId += 1
    this.#state = 'stable'
    for (const member of members) {
      member.assignment = assignments.get(member.memberId) ?? new Uint8Array(0)
      this.#startSession(member)
      member.joining!.resolve(this.#generationOf(member))
      member.joining = undefined
    }
  }

  #add(member: Member): void {
    this.#members.set(member.memberId, member)
    const { instanceId } = member.request
    if (instanceId !== undefined) this.#static.set(instanceId, member.memberId)
  }

  #remove(member: Member, reason: unknown): void {
    const { memberId, request } = member
    member.cancelSession()
    this.#members.delete(memberId)
    if (request.instanceId !== undefined) this.#static.delete(request.instanceId)
    if (this.#leaderId === memberId) this.#leaderId = undefined
    member.joining?.reject(reason)
    if (this.#members.size > 0) return this.#rebalance()
    this.#cancelRebalance()
    this.#generationId += 1
    this.#state = 'empty'
  }

  #startSession(member: Member): void {
    member.cancelSession()
    const { sessionTimeoutMs } = member.request
    member.cancelSession = this.#options.clock.setTimer(sessionTimeoutMs, () => {
      if (this.#members.get(member.memberId) !== member || member.joining !== undefined) return
      this.#remove(member, unknownMember(member.memberId))
    })
  }

  /** Who says its instance id is told that it was replaced; else it is unknown, as on Kafka. */
  #known({ memberId, instanceId }: Pick<GroupMetadata, 'memberId' | 'instanceId'>): Member {
    const holder = this.#static.get(instanceId ?? '')
    if (holder !== undefined && holder !== memberId) throw fencedInstance(memberId, instanceId!)
    const member = this.#members.get(memberId)
    if (member !== undefined) return member
    throw unknownMember(memberId)
  }

  #generationOf({ memberId, assignment, request: { instanceId } }: Member): JoinedGeneration {
    const { groupId } = this.#options
    const joined = { groupId, memberId, generationId: this.#generationId, assignment }
    return instanceId === undefined ? joined : { ...joined, instanceId }
  }
}

const newMember = (memberId: string, request: JoinRequest): Member => ({
  memberId,
  request,
  assignment: new Uint8Array(0),
  joining: undefined,
  cancelSession: () => {},
})

const fencedInstance = (memberId: string, instanceId: string): BrokerError =>
  new BrokerError(
    'BROKER_INSTANCE_FENCED',
    `another process has joined under the instance id ${instanceId} of member ${memberId} since`,
  )

const unknownMember = (memberId: string): BrokerError =>
  new BrokerError('BROKER_UNKNOWN_MEMBER', `member ${memberId} is not in the group`)
