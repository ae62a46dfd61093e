/**
 * A group session on the main thread: heartbeats by the injected clock.
 *
 * Used by `Membership` where the broker offers none of its own: with the embedded broker, which
 * lives in the same thread, and in simulations. 1. Between the call of `join` and its answer no
 * heartbeat is sent: the group waits for nobody who is joining. 2. A heartbeat without an answer
 * is no news: the next one tells.
 */

import { endsMembership } from '../broker/errors.ts'
import type {
  GroupMetadata,
  Groups,
  GroupSession,
  GroupSessionOptions,
  JoinedGeneration,
  JoinRequest,
} from '../broker/port.ts'
import type { Clock } from '../clock.ts'

export interface TimerSessionOptions extends GroupSessionOptions {
  readonly groups: Groups
  readonly clock: Clock
}

export class TimerSession implements GroupSession {
  readonly #options: TimerSessionOptions
  #member: GroupMetadata | undefined
  #cancel: (() => void) | undefined
  /** Heartbeats left that come sooner. */
  #hurried = 0
  #isClosed = false

  constructor(options: TimerSessionOptions) {
    this.#options = options
  }

  async join(request: JoinRequest): Promise<JoinedGeneration> {
    this.#stop()
    const joined = await this.#options.groups.join(request)
    this.#member = joined
    this.#schedule()
    return joined
  }

  async leave(member: GroupMetadata): Promise<void> {
    if (member.memberId === this.#member?.memberId) this.#stop()
    await this.#options.groups.leave(member)
  }

  /** The others live in the same process: whoever could watch dies with them. */
  async link(): Promise<string> {
    return ''
  }

  watch(): void {}

  hurry(): void {
    this.#hurried = hurriedHeartbeats
    if (this.#member !== undefined) this.#schedule()
  }

  async keepPlace(): Promise<void> {
    this.close()
  }

  close(): void {
    this.#isClosed = true
    this.#stop()
  }

  #stop(): void {
    this.#member = undefined
    this.#hurried = 0
    this.#cancel?.()
    this.#cancel = undefined
  }

  #schedule(): void {
    if (this.#isClosed) return
    const { clock, heartbeatIntervalMs } = this.#options
    this.#cancel?.()
    const delayMs =
      this.#hurried > 0 ? heartbeatIntervalMs / hurriedPerInterval : heartbeatIntervalMs
    this.#hurried = Math.max(0, this.#hurried - 1)
    this.#cancel = clock.setTimer(delayMs, () => void this.#heartbeat())
  }

  async #heartbeat(): Promise<void> {
    const { groups, onRebalance, onLost } = this.#options
    const member = this.#member
    if (member === undefined) return
    try {
      const answer = await groups.heartbeat(member)
      if (this.#member !== member) return
      if (answer === 'rebalancing') onRebalance()
    } catch (error) {
      if (this.#member !== member) return
      if (endsMembership(error)) {
        this.#stop()
        return onLost(error)
      }
    }
    if (this.#member === member) this.#schedule()
  }
}

const hurriedPerInterval = 10
const hurriedHeartbeats = 100
