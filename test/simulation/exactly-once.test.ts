/**
 * Goal: whatever dies or fails, the effect of every deposit is visible exactly once.
 * Method: 2,000 random histories: crashes of the machine at random disk writes of broker and store,
 * crashes of the worker alone while markers lag, and calls that fail with or without their effect.
 * The oracle is the sequential model in `ledger.ts`.
 * Invariants: outputs per key, dead letters, stores and outbox equal those of the model.
 */

import { expect, test } from 'vitest'
import { type HistoryKind, runHistory } from './history.ts'

const histories = Number(process.env['HISTORIES'] ?? 2_000)
const only = process.env['SEED']

test.each<[HistoryKind, number]>([
  ['machine', 0.5],
  ['worker', 0.3],
  ['faults', 0.2],
])(
  'random histories: %s',
  async (kind, share) => {
    const count = Math.ceil(histories * share)
    const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i) : [Number(only)]
    let [crashes, inputs] = [0, 0]
    for (const seed of seeds) {
      const result = await runHistory(seed, kind)
      crashes += result.crashes
      inputs += result.inputs
    }
    if (only === undefined && kind !== 'faults') expect(crashes).toBeGreaterThan(count / 2)
    expect(inputs).toBeGreaterThan(0)
  },
  600_000,
)
