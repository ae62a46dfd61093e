/**
 * Stream time of a task: the highest timestamp of its inputs so far; -Infinity before the first.
 *
 * One per task, moved by the task before a record is emitted, read by it and by stores whose rows
 * expire. It is durable in the offset metadata, and stays where a failed record put it: the record
 * moves it again when it is read again.
 */
export class StreamTime {
  #ms: number

  constructor(ms = -Infinity) {
    this.#ms = ms
  }

  get ms(): number {
    return this.#ms
  }

  observe(timestampMs: number): void {
    if (timestampMs > this.#ms) this.#ms = timestampMs
  }
}
