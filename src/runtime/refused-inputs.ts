/**
 * Inputs whose outputs the broker refused (too large, invalid), to be dead letters at the replay.
 *
 * The transaction with such an output can only abort; processing the same input again would make
 * the same output, so the replay must know. Kept in memory: after a crash the refusal repeats once.
 */

import type { RecordPosition } from '../errors/classes.ts'

export class RefusedInputs {
  readonly byPosition = new Map<string, Error>()

  add({ topic, partition, offset }: RecordPosition, reason: Error): void {
    this.byPosition.set(`${topic}-${partition}@${offset}`, reason)
  }
}
