/** The file of carriers: what it means, and that every mistake is told with its place. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { carriersIn } from '../../src/cli/carrier-file.ts'
import { shopConfigOf } from '../../src/cli/shop-settings.ts'
import { resolveSettings } from '../../src/config/settings.ts'
import { temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

const path = join(folder.path, 'carriers.json')
const write = (content: unknown): string => {
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

it('becomes settings of the shop', () => {
  const rule = { carrier: 'Valuables', currency: 'EUR', valueMin: '1000.00', deliverAfter: '1d' }
  const file = write({ rules: [rule, { carrier: 'Far', countries: ['SE'], unitsMax: 3 }] })
  const flags = { carriers: file, carrierMode: 'manual' }
  const { carrier } = shopConfigOf(resolveSettings({ flags, env: {} }))
  expect(carrier.mode).toBe('manual')
  expect(carrier.carriers).toHaveLength(3)
  expect(carrier.rules).toEqual([
    {
      carrier: 'Valuables',
      value: { currency: 'EUR', minMinor: 100_000 },
      deliverAfterMs: 86_400_000,
    },
    { carrier: 'Far', countries: ['SE'], unitsMax: 3 },
  ])
  expect(carriersIn(write({ carriers: ['One'] }))).toEqual({ carriers: ['One'] })
})

it.each([
  ['{', 'is not JSON'],
  [[], 'must be object'],
  [{ carriers: [] }, '/carriers'],
  [{ rules: [{ carrier: 'A', unitMin: 1 }] }, '/rules/0'],
  [{ rules: [{ units: 1 }] }, '/rules/0'],
  [{ rules: [{ carrier: 'A' }, { carrier: 'A', countries: ['Sweden'] }] }, '/rules/1/countries/0'],
  [{ rules: [{ carrier: 'A', valueMin: '1' }] }, '/rules/0: valueMin and valueMax need a currency'],
  [{ rules: [{ carrier: 'A', currency: 'EUR' }] }, '/rules/0: currency says nothing'],
  [{ rules: [{ carrier: 'A', currency: 'EUR', valueMin: '1.001' }] }, '1.001 is not exact in EUR'],
  [{ rules: [{ carrier: 'A', currency: 'EUR', valueMin: '2', valueMax: '1' }] }, 'above valueMax'],
  [{ rules: [{ carrier: 'A', unitsMin: 2, unitsMax: 1 }] }, 'unitsMin is above unitsMax'],
  [{ rules: [{ carrier: 'A', deliverAfter: '2' }] }, '"2" is not a duration'],
])('refuses %j', (content, message) => {
  expect(() => carriersIn(write(content))).toThrow(`--carriers ${path}: `)
  expect(() => carriersIn(write(content))).toThrow(message)
})
