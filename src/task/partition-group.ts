/**
 * The inputs of one task as one sequence, ordered by event time.
 *
 * Stream time of the group is the highest timestamp picked so far: -Infinity at first, never
 * decreasing, durable in the offset metadata. 1. The queue with the lowest head timestamp is next;
 * ties go to the input declared first. 2. An empty queue holds the others back only while records
 * are known to wait at the broker, and not longer than `maxTaskIdleMs`.
 */

import type { RecordQueue } from './record-queue.ts'

export class PartitionGroup {
  readonly queues: readonly RecordQueue[]
  readonly #maxTaskIdleMs: number
  #idleSinceMs: number | undefined

  constructor(queues: readonly RecordQueue[], maxTaskIdleMs: number) {
    this.queues = queues
    this.#maxTaskIdleMs = maxTaskIdleMs
  }

  /** The queue whose head is next, or undefined if there is nothing to do for now. */
  next(nowMs: number): RecordQueue | undefined {
    let best: RecordQueue | undefined
    let bestMs = Infinity
    let isWaiting = false
    const { queues } = this
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[i]!
      const head = queue.peek()
      if (head === undefined) {
        if (queue.lagsBehindBroker) isWaiting = true
      } else if (best === undefined || head.timestampMs < bestMs) {
        best = queue
        bestMs = head.timestampMs
      }
    }
    if (best === undefined || !isWaiting) {
      this.#idleSinceMs = undefined
      return best
    }
    // not in the future: the clock may have been set back while it waits
    this.#idleSinceMs = Math.min(this.#idleSinceMs ?? nowMs, nowMs)
    return nowMs - this.#idleSinceMs >= this.#maxTaskIdleMs ? best : undefined
  }

  /** When a waiting pick is due at the latest; undefined if nothing waits. */
  get idleUntilMs(): number | undefined {
    return this.#idleSinceMs === undefined ? undefined : this.#idleSinceMs + this.#maxTaskIdleMs
  }

  get recordCount(): number {
    let count = 0
    for (const queue of this.queues) count += queue.recordCount
    return count
  }
}
