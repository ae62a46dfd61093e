import type { WriteBatch } from '../../state/write-batch.ts'
import { type Generation, storeBatch } from '../runtime/generation.ts'

/**
 * A sealed generation for the store where no broker took its changelogs: each of them ends at 0.
 *
 * For what drives tasks by hand. The owner of the tasks tells them when it is applied.
 */
export const unsentBatch = (generation: Generation, nowMs: number): WriteBatch => {
  const produced = generation.batches.map(({ topic, partition }) => ({
    topic,
    partition,
    baseOffset: 0n,
    nextOffset: 0n,
    leaderEpoch: 0,
  }))
  return storeBatch(generation, produced, nowMs)
}
