/**
 * Up to where the inputs of a task show in what queries see of its stores, and since when.
 *
 * Kept by the task: sealed and moved by the commit, asked by the view of the instance. Between a
 * seal and its apply the offsets stay those of the last apply, whatever was processed meanwhile.
 */

import type { TopicPartition } from '../broker/port.ts'
import type { RecordQueue } from './record-queue.ts'

/** The next offset of an input that is not processed, or not applied, yet. */
export interface InputOffset extends TopicPartition {
  readonly offset: bigint
}

export interface AppliedAt {
  readonly offsets: readonly InputOffset[]
  /** Wall clock at the last apply; of the opening, as long as there was none. */
  readonly appliedAtMs: number
}

type Inputs = readonly { readonly queue: RecordQueue }[]

/** Where the task itself is in each input. */
export const inputOffsets = (inputs: Inputs): readonly InputOffset[] =>
  inputs.map(({ queue: { topic, partition, position } }) => ({
    topic,
    partition,
    offset: position,
  }))

export class AppliedInputs {
  readonly #inputs: Inputs
  #offsets: readonly InputOffset[]
  #atMs: number
  /** Sealed, and not applied to the store yet. */
  #isCommitting = false

  constructor(inputs: Inputs, nowMs: number) {
    this.#inputs = inputs
    this.#offsets = inputOffsets(inputs)
    this.#atMs = nowMs
  }

  sealed(): void {
    this.#isCommitting = true
  }

  /** The store has all before these offsets. */
  moved(offsets: readonly InputOffset[], nowMs: number): void {
    this.#offsets = offsets
    this.#atMs = nowMs
    this.#isCommitting = false
  }

  /**
   * Of a task at rest its position, which markers of transactions move too.
   *
   * @param hasUncommitted  whether the task processed something since the last seal
   */
  at(hasUncommitted: boolean): AppliedAt {
    const isMoving = this.#isCommitting || hasUncommitted
    return {
      offsets: isMoving ? this.#offsets : inputOffsets(this.#inputs),
      appliedAtMs: this.#atMs,
    }
  }
}
