/**
 * Goal: a migration changes the values of a store and nothing else of its rows.
 *
 * Method: each store that takes a version is filled with euros as version 1 and with cents under
 * another serde as version 2; the rows of the first, migrated, must be those of the second, byte
 * for byte: times, marks and bounds too.
 */

import { expect, it } from 'vitest'
import { latin1FromBytes } from '../../state/key-layout.ts'
import {
  hopping,
  json,
  keyValueStore,
  type Serde,
  session,
  sliding,
  type Store,
  type StoreVersion,
  suppressStore,
  tableStore,
  tumbling,
  utf8,
  versionedStore,
  waitingStore,
  windowedStore,
  windowStore,
} from '../../src/index.ts'
import { OpenStore } from './open-store.ts'

const euros = json<number>()

/** Longer than JSON, so that lengths within rows must follow. */
const cents: Serde<number> = {
  format: 'cents',
  encode: (value) => Buffer.from(`${value} cents`),
  decode: (bytes) => Number(Buffer.from(bytes).toString().split(' ')[0]),
}

interface Values extends StoreVersion<number> {
  readonly key: typeof utf8
  readonly value: Serde<number>
}

const first: Values = { key: utf8, value: euros }
const second: Values = {
  key: utf8,
  value: cents,
  version: 2,
  migrate: (bytes, from) => (from === 1 ? 100 * euros.decode(bytes) : NaN),
}

type Rows = readonly (readonly [string, string | undefined])[]

/** What a store writes for the values of `fill`. */
const rowsOf = <Opened>(store: Store<Opened>, fill: (opened: Opened) => void): Rows => {
  const open = new OpenStore(store)
  fill(open.opened)
  open.keep()
  return open.slots
    .seal()
    .map(({ key, value }) => [latin1FromBytes(key), value && latin1FromBytes(value)] as const)
}

const migrated = (store: Store, rows: Rows): Rows =>
  rows.map(([slot, row]) => {
    if (row === undefined) return [slot, row]
    const bytes = store.migrateRow!(Buffer.from(row, 'latin1'), slot, 1)
    return [slot, latin1FromBytes(bytes)]
  })

/** @param fill  the same for both versions but for the unit of the values */
const check = <Opened>(
  make: (values: Values) => Store<Opened>,
  fill: (opened: Opened, unit: number) => void,
): void => {
  const old = rowsOf(make(first), (opened) => fill(opened, 1))
  const now = rowsOf(make(second), (opened) => fill(opened, 100))
  expect(old.length).toBeGreaterThan(1)
  expect(old).not.toEqual(now)
  expect(migrated(make(second), old)).toEqual(now)
}

const headers = [{ key: 'trace', value: Buffer.from('t-1') }]

it('key-value', () => {
  check(
    (values) => keyValueStore('s', values),
    (rows, unit) => {
      rows.put('a', unit)
      rows.put('b', 2 * unit)
    },
  )
})

it('table', () => {
  check(
    (values) => tableStore('s', values),
    (rows, unit) => {
      rows.put('a', unit, 17)
      rows.put('b', 2 * unit, 18)
    },
  )
})

it('versioned table', () => {
  check(
    (values) => versionedStore('s', { ...values, historyRetentionMs: 800 }),
    (rows, unit) => {
      for (const at of [0, 90, 95, 300, 700]) rows.put('a', (at + 1) * unit, at)
      rows.put('b', undefined, 400)
    },
  )
})

it('window store', () => {
  check(
    (values) => windowStore('s', { ...values, retentionMs: 1_000 }),
    (rows, unit) => {
      rows.put('a', 100, unit)
      rows.put('a', 200, 2 * unit)
    },
  )
})

const times = { startedMs: 5, endedMs: 9 }

it('windowed: tumbling and hopping', () => {
  for (const windows of [
    tumbling({ sizeMs: 100, graceMs: 0 }),
    hopping({ sizeMs: 100, advanceMs: 50, graceMs: 0 }),
  ]) {
    check(
      (values) => windowedStore('s', { ...values, windows }),
      (rows, unit) => {
        rows.put('a', 0, unit, times.startedMs)
        rows.put('b', 100, 2 * unit, 100 + times.endedMs)
      },
    )
  }
})

it('windowed: sliding', () => {
  const windows = sliding({ withinMs: 100, graceMs: 0 })
  check(
    (values) => windowedStore('s', { ...values, windows }),
    (rows, unit) => {
      for (const at of [0, 10, 250]) rows.put('a', at, (at + 1) * unit, at)
    },
  )
})

it('windowed: sessions', () => {
  const windows = session({ gapMs: 100, graceMs: 0 })
  check(
    (values) => windowedStore('s', { ...values, windows }),
    (rows, unit) => {
      for (const at of [0, 500]) rows.replace('a', [], { startMs: at, endMs: at + 9, value: unit })
    },
  )
})

it('suppress', () => {
  check(
    (values) => suppressStore('s', values),
    (rows, unit) => {
      rows.observe(50)
      rows.hold('a', { dueMs: 100, timestampMs: 40, value: unit, headers })
    },
  )
})

it('waiting', () => {
  check(
    (values) => waitingStore('s', { ...values, graceMs: 500 }),
    (rows, unit) => {
      rows.add({ key: 'a', value: unit, timestampMs: 40, headers })
      rows.add({ key: 'a', value: 2 * unit, timestampMs: 40, headers })
    },
  )
})

it('a migration that gives a promise, or has no version to lead to, is refused', () => {
  const late = keyValueStore('late', {
    ...second,
    migrate: (async () => 1) as unknown as () => number,
  })
  expect(() => late.migrateRow!(Buffer.from('1'), 'k', 1)).toThrow(/gave a promise/)
  const migrate = (): number => 1
  expect(() => keyValueStore('unraised', { ...first, migrate })).toThrow(/raise version too/)
})
