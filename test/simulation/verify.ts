/** The verifier: recomputes from the inputs what must be visible, and compares everything. */

import { expect } from 'vitest'
import { bytes } from '../../src/serde/bytes.ts'
import { topic } from '../../src/topic.ts'
import {
  balances,
  balanceStore,
  branchCounts,
  branchStore,
  expectedOf,
  type Input,
  receipts,
  reported,
  touchedStore,
  unreported,
} from './ledger.ts'
import type { World } from './world.ts'

const deadLetters = topic('ledger-dead-letters', { key: bytes, value: bytes })

/** @param inputs  everything ever sent, in order */
export const verify = async (world: World, inputs: readonly Input[]): Promise<void> => {
  const expected = expectedOf(inputs)
  expect(byKey(await world.read(balances))).toEqual(sorted(expected.balances))
  expect(byKey(await world.read(branchCounts))).toEqual(sorted(expected.branchCounts))
  expect(byKey(await world.read(reported))).toEqual(sorted(expected.ids))
  expect(byKey(await world.read(receipts))).toEqual(sorted(expected.ids))
  const poisoned = (await world.read(deadLetters)).map(
    ({ value }) => (JSON.parse(Buffer.from(value).toString()) as Input['deposit']).id,
  )
  expect(poisoned.sort((a, b) => a - b)).toEqual([...expected.poisoned])
  const { application } = world
  const last = (values: ReadonlyMap<string, readonly number[]>): Record<string, number> =>
    Object.fromEntries([...values].map(([key, all]) => [key, all.at(-1)!]))
  expect(Object.fromEntries(application.query(balanceStore).range())).toEqual(
    last(expected.balances),
  )
  expect(Object.fromEntries(application.query(branchStore).range())).toEqual(
    last(expected.branchCounts),
  )
  expect(Object.fromEntries(application.query(touchedStore).range())).toEqual(
    Object.fromEntries([...expected.ids].map(([key, ids]) => [key, ids.length])),
  )
  expect([...application.query(unreported).range()]).toEqual([])
}

const byKey = (
  records: readonly { readonly key: string; readonly value: number }[],
): Record<string, number[]> => {
  const found = new Map<string, number[]>()
  for (const { key, value } of records) found.set(key, [...(found.get(key) ?? []), value])
  return sorted(found)
}

const sorted = <V>(values: ReadonlyMap<string, V>): Record<string, V> =>
  Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1)))
