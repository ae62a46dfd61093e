/**
 * The longest time without an output, per partition, in stretches of a run.
 *
 * Times are wall-clock ms. A gap that is open at either end of a stretch belongs to it whole: what
 * ends a stream of outputs happens after the last of them.
 */

export class GapMeter {
  readonly #lastMs: number[]
  readonly #longestMs: number[]

  constructor(partitions: number, nowMs: number) {
    this.#lastMs = Array.from({ length: partitions }, () => nowMs)
    this.#longestMs = Array.from({ length: partitions }, () => 0)
  }

  /** An output came. */
  seen(partition: number, nowMs: number): void {
    this.#longestMs[partition] = this.#longestWith(partition, nowMs)
    this.#lastMs[partition] = nowMs
  }

  /** Ends a stretch and begins the next: the longest gaps by partition since the last call. */
  take(nowMs: number): readonly number[] {
    const longest = this.#longestMs.map((_, partition) => this.#longestWith(partition, nowMs))
    this.#longestMs.fill(0)
    return longest
  }

  #longestWith(partition: number, nowMs: number): number {
    return Math.max(this.#longestMs[partition]!, nowMs - this.#lastMs[partition]!)
  }
}
