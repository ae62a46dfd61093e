/**
 * The membership thread: joins, heartbeats and leaves on connections of its own.
 *
 * ```
 *   out ──join──► JoinGroup ──► heartbeats begin ──► (leader: main thread assigns) ──SyncGroup──►
 *   member ──heartbeat: rebalancing──► told ──join──► …          lost, left ──► out
 * ```
 * Started by `worker-session.ts`. 1. Heartbeats go on whatever the main thread does; only when its
 * event loop stood still for `maxStallMs` does the member leave, so that others get its tasks.
 * 2. From the answer of JoinGroup on the new generation is kept alive: the leader's main thread may
 * take its time to assign. 3. A stopped and resumed process is not mistaken for a stalled loop: the
 * stall is counted in heartbeats, not by the clock. 4. A peer whose links say that it has died is
 * removed from the group, each process once a minute at most: a wrong verdict costs a rebalance.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { keepProcessAlive, systemClock } from '../../clock.ts'
import { BrokerError, endsMembership } from '../errors.ts'
import type { GroupMemberMetadata, GroupMetadata, GroupPeer } from '../port.ts'
import { Cluster } from './cluster.ts'
import { clusterOptions } from './kafka-broker-options.ts'
import { ClassicGroups } from './group-classic.ts'
import type {
  GroupWorkerData,
  GroupWorkerReply,
  GroupWorkerRequest,
  SentFailure,
  SentJoinRequest,
} from './group-worker-messages.ts'
import { PeerLinks } from './peer-links.ts'

const port = parentPort
if (port === null) throw new Error('group-worker runs as a worker thread only')

type Assignments = ReadonlyMap<string, Uint8Array>

class GroupWorker {
  readonly #data: GroupWorkerData
  readonly #progress: Int32Array
  readonly #assigning = new Map<number, PromiseWithResolvers<Assignments>>()
  #groups: Promise<ClassicGroups> | undefined
  #member: GroupMetadata | undefined
  /** The group that a join is on its way to. */
  #joining: string | undefined
  #isBeating = false
  /** Counts down the hurried heartbeats. */
  #hurrying: NodeJS.Timeout | undefined
  #hurriedLeft = 0
  #links: Promise<PeerLinks> | undefined
  /** By incarnation: what is started again under its name is another process, and may die too. */
  readonly #removedAtMs = new Map<string, number>()
  #seenProgress = 0
  #stalledMs = 0

  constructor(data: GroupWorkerData) {
    this.#data = data
    this.#progress = new Int32Array(data.progress)
    setInterval(() => void this.#beat(), data.heartbeatIntervalMs)
  }

  serve(request: GroupWorkerRequest): void {
    if (request.kind === 'hurry') return this.#hurry()
    if (request.kind === 'watch') return void this.#watch(request.member, request.peers)
    if (request.kind === 'assigned') return this.#assigned(request.id, request.assignments)
    const { id } = request
    this.#answer(request).then(say, (error: unknown) =>
      say({ kind: 'failed', id, failure: failureOf(error) }),
    )
  }

  #answer(
    request: Extract<GroupWorkerRequest, { kind: 'join' | 'leave' | 'link' | 'keepPlace' }>,
  ): Promise<GroupWorkerReply> {
    const { kind, id } = request
    if (kind === 'link') return this.#link(id)
    if (kind === 'keepPlace') return this.#keepPlace(id)
    return kind === 'join' ? this.#join(id, request.request) : this.#leave(id, request.member)
  }

  async #link(id: number): Promise<GroupWorkerReply> {
    const { linkHost: host, incarnation } = this.#data
    const onDead = (peer: GroupPeer): void => void this.#remove(peer)
    this.#links ??= PeerLinks.open({ host, incarnation, onDead })
    return { kind: 'linked', id, address: (await this.#links).address }
  }

  async #keepPlace(id: number): Promise<GroupWorkerReply> {
    this.#member = undefined // no heartbeat from now on
    await (await this.#links)?.sayGoodbye()
    return { kind: 'kept', id }
  }

  async #watch({ memberId }: GroupMetadata, peers: readonly GroupPeer[]): Promise<void> {
    const links = await this.#links
    links?.watch(memberId, peers)
  }

  /**
   * Anybody may say that a member is gone; the coordinator then begins a new generation. While this
   * one joins, all wait for the dead.
   */
  async #remove({ memberId, instanceId, incarnation, isStatic }: GroupPeer): Promise<void> {
    const member = this.#member
    const groupId = member?.groupId ?? this.#joining
    const nowMs = performance.now()
    const isTooSoon = nowMs - (this.#removedAtMs.get(incarnation) ?? -Infinity) < removalIntervalMs
    if (groupId === undefined || isTooSoon) return
    this.#removedAtMs.set(incarnation, nowMs)
    try {
      const place = isStatic === true && { instanceId }
      const removed = { groupId, memberId, generationId: -1, ...place }
      await (await this.#client()).leave(removed)
    } catch (error) {
      // another member was first, or its session will end by itself
      if (!(error instanceof BrokerError)) throw error
      if (error.code === 'BROKER_INSTANCE_FENCED') return // it is back already, in its old place
    }
    if (member !== undefined && this.#isCurrent(member)) say({ kind: 'rebalancing' })
  }

  async #join(id: number, request: SentJoinRequest): Promise<GroupWorkerReply> {
    this.#joining = request.groupId
    this.#hurriedLeft = 0
    this.#member = undefined
    try {
      const joined = await (
        await this.#client()
      ).joinWith(request, {
        assign: (members) => this.#askForAssignments(id, members),
        onGeneration: (member) => {
          this.#member = member
          // before the others can ask
          void this.#links?.then((links) => links.answerTo(member.memberId))
        },
      })
      this.#member = joined
      return { kind: 'joined', id, joined }
    } catch (error) {
      this.#member = undefined
      throw error
    } finally {
      this.#joining = undefined
      this.#assigning.delete(id)
    }
  }

  async #leave(id: number, member: GroupMetadata): Promise<GroupWorkerReply> {
    if (member.memberId === this.#member?.memberId) this.#member = undefined
    await (await this.#client()).leave(member)
    return { kind: 'left', id }
  }

  #askForAssignments(id: number, members: readonly GroupMemberMetadata[]): Promise<Assignments> {
    const assigning = Promise.withResolvers<Assignments>()
    this.#assigning.set(id, assigning)
    say({ kind: 'assign', id, members })
    return assigning.promise
  }

  #assigned(id: number, assignments: Assignments | undefined): void {
    const assigning = this.#assigning.get(id)
    if (assignments === undefined) assigning?.reject(new Error('the assignor failed'))
    else assigning?.resolve(assignments)
  }

  /** A client that could not be opened is opened again by whoever asks next. */
  #client(): Promise<ClassicGroups> {
    const { broker, heartbeatIntervalMs } = this.#data
    this.#groups ??= Cluster.open(clusterOptions(broker, systemClock)).then(
      (cluster) =>
        new ClassicGroups({
          cluster,
          heartbeatTimeoutMs: Math.max(heartbeatTimeoutMinMs, 2 * heartbeatIntervalMs),
          ...(broker.rebalanceTimeoutMs !== undefined && {
            rebalanceTimeoutMs: broker.rebalanceTimeoutMs,
          }),
        }),
      (error: unknown) => {
        this.#groups = undefined
        throw error
      },
    )
    return this.#groups
  }

  async #beat(): Promise<void> {
    const member = this.#member
    if (member === undefined) {
      this.#stalledMs = 0
      return
    }
    if (this.#isStalled()) return this.#leaveStalled(member)
    await this.#heartbeat(member)
  }

  #hurry(): void {
    this.#hurriedLeft = hurriedHeartbeats
    this.#hurrying ??= setInterval(
      () => this.#hurriedBeat(),
      this.#data.heartbeatIntervalMs / hurriedPerInterval,
    )
  }

  #hurriedBeat(): void {
    const member = this.#member
    this.#hurriedLeft -= 1
    if (this.#hurriedLeft >= 0 && member !== undefined) return void this.#heartbeat(member)
    clearInterval(this.#hurrying)
    this.#hurrying = undefined
  }

  async #heartbeat(member: GroupMetadata): Promise<void> {
    if (this.#isBeating) return
    this.#isBeating = true
    try {
      const answer = await (await this.#client()).heartbeat(member)
      if (answer === 'rebalancing' && this.#isCurrent(member)) say({ kind: 'rebalancing' })
    } catch (error) {
      if (endsMembership(error) && this.#isCurrent(member)) this.#lost(error)
    } finally {
      this.#isBeating = false
    }
  }

  /** While a join is on its way, the join itself learns of whatever happens. */
  #isCurrent(member: GroupMetadata): boolean {
    return this.#member === member && this.#joining === undefined
  }

  #isStalled(): boolean {
    const seen = Atomics.load(this.#progress, 0)
    const isMoving = seen !== this.#seenProgress
    this.#stalledMs = isMoving ? 0 : this.#stalledMs + this.#data.heartbeatIntervalMs
    this.#seenProgress = seen
    return this.#stalledMs > this.#data.maxStallMs
  }

  async #leaveStalled(member: GroupMetadata): Promise<void> {
    this.#lost(
      new BrokerError(
        'BROKER_UNKNOWN_MEMBER',
        `the event loop stood still for ${this.#data.maxStallMs} ms: the member left its group`,
      ),
    )
    const groups = await this.#client()
    // refused or unreachable: the session ends by itself now
    await groups.leave(member).catch(() => {})
  }

  #lost(error: unknown): void {
    this.#member = undefined
    say({ kind: 'lost', failure: failureOf(error) })
  }
}

/** A coordinator that does not answer a heartbeat in this time, in ms, is looked up again. */
const heartbeatTimeoutMinMs = 1_000

/** How many heartbeats come in the time of one while the next generation is close at hand. */
const hurriedPerInterval = 10
const hurriedHeartbeats = 100
/** Between two removals of one process. */
const removalIntervalMs = 60_000

const say = (reply: GroupWorkerReply): void => port.postMessage(reply)

const failureOf = (error: unknown): SentFailure => ({
  code: error instanceof BrokerError ? error.code : undefined,
  message: error instanceof Error ? error.message : String(error),
})

keepProcessAlive() // the thread, until the main thread ends it
const worker = new GroupWorker(workerData as GroupWorkerData)
port.on('message', (request: GroupWorkerRequest) => worker.serve(request))
