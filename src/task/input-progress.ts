/**
 * Up to which wall-clock time a task has seen everything that was written to its inputs.
 *
 * Business deadlines fire by it: an answer written before the deadline may wait in a backlog, and
 * must win. 1. A fetch issued at time t that reports high watermark h proves: everything written
 * before t lies below h. 2. Once the position has reached h, the input is caught up to t.
 * 3. Only the oldest unproven observation and the newest are kept, so a busy input, whose
 * watermark always runs ahead, still proves something at every turn.
 * The high watermark is used, not the last stable offset: records of transactions that are still
 * open count too, as their answer may be the one.
 * 4. A clock that was set back makes its times ambiguous: what was proven is forgotten, and the
 * next fetch proves anew. Steps smaller than the wait of one fetch may pass unseen.
 */

interface Observation {
  readonly atMs: number
  readonly highWatermark: bigint
}

export class InputProgress {
  #provenMs = -Infinity
  #pending: Observation | undefined
  #newest: Observation | undefined

  /** @param issuedAtMs  wall-clock time when the fetch was sent, not when it was answered */
  observe(issuedAtMs: number, highWatermark: bigint): void {
    const observation = { atMs: issuedAtMs, highWatermark }
    if (this.#pending === undefined) this.#pending = observation
    else this.#newest = observation
  }

  clockSetBack(): void {
    this.#provenMs = -Infinity
    this.#pending = undefined
    this.#newest = undefined
  }

  /** @param position  the next offset to process */
  caughtUpToMs(position: bigint): number {
    while (this.#pending !== undefined && position >= this.#pending.highWatermark) {
      this.#provenMs = Math.max(this.#provenMs, this.#pending.atMs)
      this.#pending = this.#newest
      this.#newest = undefined
    }
    return this.#provenMs
  }
}
