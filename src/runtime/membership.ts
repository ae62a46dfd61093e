/**
 * This instance's place in the group: joins, keeps the session alive, tells of a rebalance.
 *
 * ```
 *   out ──join──► member ──heartbeat says rebalancing──► (onRebalance) ──join──► member
 *                    │                                                     leave ──► out
 *                    └ unknown member, fenced ──► (onLost): every task belongs to others now
 * ```
 * Called by the task share; tells the stream loop through callbacks. 1. `current()` is the
 * generation to send with an offset commit at the moment it is sent; while a join is on its way
 * there is none. 2. A member that joins again keeps its tasks: they are claimed in its metadata.
 * 3. The first join removes what this instance was before: a process that was killed is a member
 * until its session ends, and the group would wait for it. Its producer is fenced already. 4. What
 * comes of a join after `leave` is left again.
 */

import { BrokerError } from '../broker/errors.ts'
import {
  type Broker,
  type GroupMetadata,
  type GroupSession,
  type JoinedGeneration,
  type JoinRequest,
} from '../broker/port.ts'
import { type Clock } from '../clock.ts'
import { RuntimeError } from '../errors/classes.ts'
import { assignCooperatively } from './cooperative-assignment.ts'
import {
  type Assignment,
  decodeAssignment,
  decodeSubscription,
  encodeSubscription,
  protocolVersion,
  type Subscription,
} from './group-protocol.ts'
import { TimerSession } from './timer-session.ts'

export interface MembershipOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly groupId: string
  /** What the others know of this instance. */
  readonly identity: Pick<
    Subscription,
    'instanceId' | 'incarnation' | 'endpoint' | 'transactionalId'
  >
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxStallMs: number
  /** See `GroupSessionOptions`. */
  readonly linkHost: string
  /** Every source topic, as the broker knows it. */
  readonly topics: readonly string[]
  allTasks(): readonly string[]
  onRebalance(): void
  onLost(error: Error): void
}

export class Membership {
  readonly #options: MembershipOptions
  readonly #session: GroupSession
  #generation: JoinedGeneration | undefined
  #peers: Assignment['peers'] = []
  /** Transactional ids that were in the group before the first join. */
  #former: readonly string[] | undefined
  #isJoining = false
  #lastJoin: Promise<void> = Promise.resolve()
  /** Rises with every `leave` and loss: joins of before are void. */
  #life = 0

  constructor(options: MembershipOptions) {
    this.#options = options
    const { broker, clock, heartbeatIntervalMs, maxStallMs, linkHost, onRebalance } = options
    const { groups } = broker
    const session = {
      incarnation: options.identity.incarnation,
      linkHost,
      heartbeatIntervalMs,
      maxStallMs,
      onRebalance,
      onLost: (error: Error) => this.#lost(error),
    }
    this.#session = groups.session?.(session) ?? new TimerSession({ ...session, groups, clock })
  }

  /** @throws {RuntimeError} STREAMS_TASK_MIGRATED: no member now; join again */
  current(): GroupMetadata {
    if (this.#generation === undefined || this.#isJoining) throw notAMember()
    const { groupId, memberId, generationId } = this.#generation
    return { groupId, memberId, generationId }
  }

  get isMember(): boolean {
    return this.#generation !== undefined
  }

  /** Everyone in the last generation, as its leader knew them; this member too. */
  get peers(): Assignment['peers'] {
    return this.#peers
  }

  /**
   * Joins, or joins again; after one that was left, whose answer is waited for.
   *
   * @param ownedTasks  what it runs or opens; nobody else is given these
   * @throws {BrokerError} `rejoin`: not a member any more, give up all tasks
   * @throws {RuntimeError} STREAMS_CONFIG: the group refuses this member;
   * STREAMS_TASK_MIGRATED: left meanwhile
   */
  async join(ownedTasks: readonly string[]): Promise<Assignment> {
    const life = this.#life
    this.#isJoining = true
    const joining = this.#lastJoin.then(() => this.#join(life, ownedTasks))
    this.#lastJoin = joining.then(
      () => {},
      () => {},
    )
    return joining
  }

  async #join(life: number, ownedTasks: readonly string[]): Promise<Assignment> {
    try {
      if (life !== this.#life) throw notAMember()
      const link = await this.#session.link()
      this.#former ??= await this.#formerMembers()
      const joined = await this.#session.join(this.#request(ownedTasks, link))
      if (life !== this.#life) {
        await this.#leave(joined)
        throw notAMember()
      }
      this.#generation = joined
      this.#former = [] // told once: the leader named the vanished
      const assignment = decodeAssignment(joined.assignment)
      this.#peers = assignment.peers
      this.#session.watch(joined, assignment.peers)
      if (assignment.isFollowed) this.#session.hurry()
      return assignment
    } finally {
      if (life === this.#life) this.#isJoining = false
    }
  }

  /** A courtesy to the others: where it fails, the session time-out does the same, later. */
  async leave(): Promise<void> {
    const generation = this.#generation
    this.#forget()
    if (generation !== undefined) await this.#leave(generation)
  }

  /** Leaves for good, and ends the session. */
  async close(): Promise<void> {
    await this.leave()
    this.#session.close()
  }

  /** Ends the session without a word to the group: as a crash does. */
  abandon(): void {
    this.#session.close()
  }

  #request(ownedTasks: readonly string[], link: string): JoinRequest {
    const { groupId, identity, sessionTimeoutMs, topics, allTasks } = this.#options
    const metadata = encodeSubscription({
      version: protocolVersion,
      oldestVersion: protocolVersion,
      ...identity,
      link,
      generationId: this.#generation?.generationId ?? -1,
      ownedTasks,
      peers: [
        ...new Set([
          ...(this.#former ?? []),
          ...this.#peers.map(({ transactionalId }) => transactionalId),
        ]),
      ],
    })
    return {
      groupId,
      memberId: this.#generation?.memberId ?? '',
      sessionTimeoutMs,
      topics,
      metadata,
      assign: (members) => assignCooperatively(members, allTasks()),
    }
  }

  /** Who can not be asked for costs the end of a session, no more. */
  async #formerMembers(): Promise<readonly string[]> {
    const { broker, groupId, identity } = this.#options
    const former: string[] = []
    try {
      for (const { memberId, metadata } of (await broker.groups.members?.(groupId)) ?? []) {
        const member = decodeSubscription(metadata)
        if (typeof member === 'string') continue
        former.push(member.transactionalId)
        if (member.transactionalId !== identity.transactionalId) continue
        if (member.incarnation === identity.incarnation) continue
        await this.#leave({ groupId, memberId, generationId: -1 })
      }
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
    }
    return former
  }

  async #leave(member: GroupMetadata): Promise<void> {
    await this.#session.leave(member).catch((error: unknown) => {
      if (!(error instanceof BrokerError)) throw error
    })
  }

  #lost(error: Error): void {
    this.#forget()
    this.#options.onLost(error)
  }

  #forget(): void {
    this.#life += 1
    this.#isJoining = false
    this.#generation = undefined
  }
}

const notAMember = (): RuntimeError =>
  new RuntimeError('STREAMS_TASK_MIGRATED', 'this instance is no member of the group now')
