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
 * 3. The first join removes what this instance was before, unless it is static: a process that was
 * killed is a member until its session ends, and the group would wait for it. Its producer is
 * fenced already. 4. What comes of a join after `leave` is left again. 5. A static member that
 * comes back is given what it had, in the same generation; one that was replaced never joins again:
 * it would replace its successor.
 */

import { BrokerError } from '../broker/errors.ts'
import type {
  Broker,
  GroupMetadata,
  GroupPeer,
  GroupSession,
  JoinedGeneration,
  JoinRequest,
} from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import { RuntimeError } from '../errors/classes.ts'
import { assignCooperatively } from './cooperative-assignment.ts'
import {
  type Assignment,
  decodeAssignment,
  decodeSubscription,
  encodeSubscription,
  type Peer,
  protocolVersion,
  refusedMember,
  type Subscription,
} from './group-protocol.ts'
import { sleep } from './sleep.ts'
import { type SourcePlaces, unsharedReason } from './task-meaning.ts'
import { TimerSession } from './timer-session.ts'

export interface MembershipOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly groupId: string
  /** What the others know of this instance. */
  readonly identity: Pick<
    Subscription,
    'instanceId' | 'isStatic' | 'incarnation' | 'endpoint' | 'transactionalId'
  >
  /** Of a static member: whether an orderly stop gives its tasks to others at once. */
  readonly leavesOnStop: boolean
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxStallMs: number
  /** See `GroupSessionOptions`. */
  readonly linkHost: string
  /** Every source topic, as the broker knows it. */
  readonly topics: readonly string[]
  /** What its task ids mean, for the leader to compare. */
  readonly sources: SourcePlaces
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
  /** Another process has this static member's place. */
  #replaced: BrokerError | undefined

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
    const { assignment: _, ...member } = this.#generation
    return member
  }

  /** Its place outlives its process, and a namesake takes it. */
  get isStatic(): boolean {
    return this.#options.identity.isStatic === true
  }

  get isMember(): boolean {
    return this.#generation !== undefined
  }

  /** Of the last generation; −1 while there is none. */
  get generationId(): number {
    return this.#generation?.generationId ?? -1
  }

  /** Everyone in the last generation, as its leader knew them; this member too. */
  get peers(): Assignment['peers'] {
    return this.#peers
  }

  /**
   * Asks the broker how the others are to be reached now: a static member that came back has the
   * tasks of before, and another address. What the broker does not tell stays as it was.
   */
  async refreshPeers(): Promise<void> {
    const { broker, groupId } = this.#options
    const life = this.#life
    const said = await broker.groups.members?.(groupId).catch((error: unknown) => {
      if (!(error instanceof BrokerError)) throw error
    })
    if (said === undefined || life !== this.#life) return
    const now = new Map<string, Partial<Peer>>()
    for (const { memberId, metadata } of said) {
      const member = decodeSubscription(metadata)
      if (typeof member === 'string') continue
      const { transactionalId, incarnation, endpoint, link } = member
      now.set(transactionalId, { memberId, incarnation, endpoint, link })
    }
    this.#peers = this.#peers.map((peer) => ({ ...peer, ...now.get(peer.transactionalId) }))
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
      if (this.#replaced !== undefined) throw this.#replaced
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
      const reason = unsharedReason(assignment.sources ?? {}, this.#options.sources)
      if (reason !== undefined) throw refusedMember(reason)
      this.#peers = this.#present(assignment.peers, joined.memberId, link)
      this.#session.watch(joined, this.#peers)
      if (assignment.isFollowed) this.#session.hurry()
      return assignment
    } catch (error) {
      this.#noteReplaced(error)
      throw error
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

  /**
   * Whether another process has taken this static member's place, after something that looks so: a
   * successor joins before it fences the producer, so the group tells of it within a heartbeat.
   */
  async replacement(): Promise<BrokerError | undefined> {
    const { clock, heartbeatIntervalMs } = this.#options
    if (!this.isStatic) return undefined
    const endMs = clock.monotonicMs() + Math.max(successorMaxMs, 2 * heartbeatIntervalMs)
    if (this.isMember) this.#session.hurry()
    while (this.isMember && clock.monotonicMs() < endMs) await sleep(clock, lookEveryMs)
    return this.#replaced
  }

  /** An orderly stop: leaves, or keeps the place of a static member that is to come back. */
  async stop(): Promise<void> {
    if (!this.isStatic || this.#options.leavesOnStop || !this.isMember) return this.close()
    this.#forget()
    await this.#session.keepPlace()
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
    const { groupId, identity, sessionTimeoutMs, topics, sources, allTasks } = this.#options
    const metadata = encodeSubscription({
      version: protocolVersion,
      oldestVersion: protocolVersion,
      ...identity,
      sources,
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
      ...(this.isStatic && { instanceId: identity.instanceId }),
      sessionTimeoutMs,
      topics,
      metadata,
      assign: (members) => assignCooperatively(members, allTasks(), sources),
    }
  }

  /**
   * Watched from now on: one that dies before this one is in would be waited for. Who can not be
   * asked for costs the end of a session, no more.
   */
  async #formerMembers(): Promise<readonly string[]> {
    const { broker, groupId, identity } = this.#options
    const former: string[] = []
    const others: GroupPeer[] = []
    try {
      for (const { memberId, metadata } of (await broker.groups.members?.(groupId)) ?? []) {
        const member = decodeSubscription(metadata)
        if (typeof member === 'string') continue
        former.push(member.transactionalId)
        if (member.transactionalId !== identity.transactionalId) {
          others.push({ ...member, memberId })
          continue
        }
        if (member.incarnation === identity.incarnation) continue
        if (this.isStatic) continue // it takes its place
        await this.#leave({ groupId, memberId, generationId: -1 })
      }
      this.#session.watch({ groupId, memberId: '', generationId: -1 }, others)
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

  /** As it is now: who came back to a place finds its former self in the assignment. */
  #present(peers: Assignment['peers'], memberId: string, link: string): Assignment['peers'] {
    const { identity } = this.#options
    return peers.map((peer) =>
      peer.transactionalId === identity.transactionalId
        ? { ...peer, ...identity, memberId, link }
        : peer,
    )
  }

  #noteReplaced(error: unknown): void {
    const isReplaced = error instanceof BrokerError && error.code === 'BROKER_INSTANCE_FENCED'
    if (isReplaced) this.#replaced = error
  }

  #lost(error: Error): void {
    this.#noteReplaced(error)
    this.#forget()
    this.#options.onLost(error)
  }

  #forget(): void {
    this.#life += 1
    this.#isJoining = false
    this.#generation = undefined
  }
}

/** From the fence by a successor to its join: it starts a thread and connects meanwhile. */
const successorMaxMs = 3_000
const lookEveryMs = 20

const notAMember = (): RuntimeError =>
  new RuntimeError('STREAMS_TASK_MIGRATED', 'this instance is no member of the group now')
