/**
 * This instance's place in the group: joins, keeps the session alive, tells of a rebalance.
 *
 * ```
 *   out ──join──► member ──heartbeat says rebalancing──► (onRebalance) ──join──► member
 *                    │                                                     leave ──► out
 *                    └ unknown member, fenced ──► (onLost): every task belongs to others now
 * ```
 * Called by the application; tells the stream loop through callbacks. 1. `current()` is the
 * generation to send with an offset commit at the moment it is sent. 2. No join is sent while a
 * commit is in flight: the loop calls `join`, never this class.
 */

import { BrokerError } from '../broker/errors.ts'
import { type Broker, type GroupMetadata, type JoinedGeneration } from '../broker/port.ts'
import { type Clock } from '../clock.ts'
import { RuntimeError } from '../errors/classes.ts'
import {
  type Assignment,
  assignTasks,
  decodeJson,
  encodeJson,
  type Subscription,
} from './assignor.ts'

export interface MembershipOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly groupId: string
  readonly processId: string
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** Every source topic, as the broker knows it. */
  readonly topics: readonly string[]
  allTasks(): readonly string[]
  onRebalance(): void
  onLost(error: Error): void
}

export class Membership {
  readonly #options: MembershipOptions
  #generation: JoinedGeneration | undefined
  #cancelHeartbeat: (() => void) | undefined
  #isAbandoned = false

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  /** @throws {RuntimeError} STREAMS_TASK_MIGRATED: removed from the group; join again */
  current(): GroupMetadata {
    if (this.#generation === undefined) throw notAMember()
    const { groupId, memberId, generationId } = this.#generation
    return { groupId, memberId, generationId }
  }

  get isMember(): boolean {
    return this.#generation !== undefined
  }

  /** Joins, or joins again; resolves with the tasks of this instance. */
  async join(ownedTasks: readonly string[]): Promise<readonly string[]> {
    const { broker, groupId, processId, sessionTimeoutMs, topics, allTasks } = this.#options
    this.#stopHeartbeat()
    const subscription: Subscription = { version: 1, processId, ownedTasks }
    this.#generation = await broker.groups.join({
      groupId,
      memberId: this.#generation?.memberId ?? '',
      sessionTimeoutMs,
      topics,
      metadata: encodeJson(subscription),
      assign: (members) => {
        const known = members.map(({ memberId, metadata }) => ({
          memberId,
          ownedTasks: decodeJson<Subscription>(metadata).ownedTasks,
        }))
        return new Map(
          [...assignTasks(known, allTasks())].map(([memberId, tasks]) => [
            memberId,
            encodeJson({ version: 1, tasks }),
          ]),
        )
      },
    })
    this.#scheduleHeartbeat()
    return decodeJson<Assignment>(this.#generation.assignment).tasks
  }

  /** A courtesy to the others: where it fails, the session time-out does the same, later. */
  async leave(): Promise<void> {
    this.#stopHeartbeat()
    const generation = this.#generation
    this.#generation = undefined
    if (generation === undefined) return
    await this.#options.broker.groups.leave(generation).catch((error: unknown) => {
      if (!(error instanceof BrokerError)) throw error
    })
  }

  /** Ends the heartbeat without a word to the group: as a crash does. */
  abandon(): void {
    this.#isAbandoned = true
    this.#stopHeartbeat()
  }

  #scheduleHeartbeat(): void {
    if (this.#isAbandoned) return
    const { clock, heartbeatIntervalMs } = this.#options
    this.#cancelHeartbeat = clock.setTimer(heartbeatIntervalMs, () => void this.#heartbeat())
  }

  #stopHeartbeat(): void {
    this.#cancelHeartbeat?.()
    this.#cancelHeartbeat = undefined
  }

  async #heartbeat(): Promise<void> {
    const generation = this.#generation
    if (generation === undefined) return
    const { broker, onRebalance, onLost } = this.#options
    try {
      const answer = await broker.groups.heartbeat(generation)
      if (this.#generation !== generation) return
      if (answer === 'rebalancing') onRebalance()
    } catch (error) {
      if (this.#generation !== generation) return
      const isLost = error instanceof BrokerError && error.action === 'rejoin'
      if (isLost) {
        this.#generation = undefined
        return onLost(error)
      }
    }
    if (this.#cancelHeartbeat !== undefined) this.#scheduleHeartbeat()
  }
}

const notAMember = (): RuntimeError =>
  new RuntimeError('STREAMS_TASK_MIGRATED', 'the group has removed this member')
