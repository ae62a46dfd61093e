/**
 * Goal: whatever dies in between, every order ends in exactly one outcome, with its money and its
 * stock accounted for.
 * Method: random histories of the whole shop on the real runtime, broker and stores, where the
 * machine or the worker alone crashes at random disk writes; the bank keeps books of its own.
 * HISTORIES=2000 runs more of them, SEED=7 one. A planted fault must be found.
 */

import { expect, test } from 'vitest'
import type { BankOptions } from './bank.ts'
import { runCrashHistory } from './crash-history.ts'
import { expectEnds } from './expect-ends.ts'

const histories = Number(process.env['HISTORIES'] ?? 100)
const only = process.env['SEED']

const expectWhole = async (seed: number, planted?: BankOptions) => {
  try {
    const ended = await runCrashHistory(seed, planted)
    expect(ended.openOrders).toEqual([])
    expect(ended.violations).toEqual([])
    expect(new Set(ended.eventIds).size).toBe(ended.eventIds.length)
    expect(ended.deadLetterSources.filter((source) => source !== 'test')).toEqual([])
    expectEnds(ended)
    return ended
  } catch (cause) {
    throw new Error(`the history of SEED=${seed} failed: ${String(cause)}`, { cause })
  }
}

test('random histories with crashes: one outcome each, no money and no stock astray', async () => {
  const reached = new Map<string, number>()
  let crashes = 0
  const seeds = only === undefined ? Array.from({ length: histories }, (_, i) => i) : [Number(only)]
  for (const seed of seeds) {
    const ended = await expectWhole(seed)
    crashes += ended.crashes
    for (const { status } of ended.orders.values()) {
      reached.set(status, (reached.get(status) ?? 0) + 1)
    }
  }
  if (process.env['SHOP_REACHED']) console.log(reached, crashes)
  if (only !== undefined) return
  expect(crashes).toBeGreaterThan(histories)
  expect([...reached.keys()].sort()).toEqual(['cancelled', 'completed', 'expired', 'rejected'])
}, 900_000)

test('a provider that forgets what it did is noticed', async () => {
  const found: unknown[] = []
  for (let seed = 0; seed < 20 && found.length === 0; seed++) {
    await expectWhole(seed, { forgetsKeys: true }).catch((error: unknown) => found.push(error))
  }
  expect(String(found[0])).toMatch(/to be|toEqual|deeply equal/)
}, 120_000)
