/** A topology with a store of every kind but the outbox, which the shop has, and its records. */

import { expect } from 'vitest'
import type { StoreSource } from '../../src/cli/store-source.ts'
import {
  count,
  distinctBy,
  distinctStore,
  foreignKeyStore,
  globalTable,
  hopping,
  joinGlobal,
  joinStore,
  joinTablesByForeignKey,
  json,
  keyValueStore,
  leftJoinTable,
  leftJoinWithin,
  process,
  session,
  sliding,
  stream,
  type StreamRecord,
  suppress,
  suppressStore,
  table,
  tableStore,
  topic,
  topology,
  toTable,
  tumbling,
  untilTimeLimit,
  utf8,
  versionedStore,
  waitingStore,
  windowed,
  windowedStore,
  type WindowState,
  windowStore,
} from '../../src/index.ts'
import { storeByName } from '../../src/runtime/queries.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

const texts = { key: utf8, value: json<string>() }
const counts = { key: utf8, value: json<number>() }
const perWindow = { key: windowed(utf8), value: json<number>() }

export const clicks = topic('clicks', texts)
export const pages = topic('pages', texts)
export const owners = topic('owners', texts)
export const names = topic('names', texts)

const authors = topic('authors', texts)

const minuteMs = 60_000
const graceMs = 3 * minuteMs
const windows = {
  tumbling: tumbling({ sizeMs: minuteMs, graceMs }),
  hopping: hopping({ sizeMs: 2 * minuteMs, advanceMs: minuteMs, graceMs }),
  sliding: sliding({ withinMs: minuteMs, graceMs }),
  session: session({ gapMs: 1_000, graceMs }),
}
const keyValue = keyValueStore('key-value', counts)
const perMinute = windowedStore('tumbling', { ...counts, windows: windows.tumbling })
const perTwo = windowedStore('hopping', { ...counts, windows: windows.hopping })
const around = windowedStore('sliding', { ...counts, windows: windows.sliding })
const visits = windowedStore('session', { ...counts, windows: windows.session })
const held = suppressStore('held', perWindow)
const windowedRows = tableStore('windowed-table', perWindow)
const distinct = distinctStore('distinct', { id: utf8, withinMs: minuteMs, graceMs })
const joined = joinStore('join', {
  key: utf8,
  left: texts.value,
  right: texts.value,
  withinMs: minuteMs,
  graceMs,
})
const versioned = versionedStore('versioned', { ...texts, historyRetentionMs: minuteMs })
const waiting = waitingStore('waiting', { ...texts, graceMs: minuteMs })
const notes = windowStore('notes', { ...texts, retentionMs: 60 * minuteMs })
const pageRows = tableStore('page-rows', texts)
const authorRows = tableStore('author-rows', texts)
const authorOf = foreignKeyStore('foreign-key', { left: pageRows, right: authorRows })

const note = (
  { key, value, timestampMs }: StreamRecord<string, string>,
  { notes: rows }: { readonly notes: WindowState<string, string> },
): readonly never[] => {
  rows.put(key, timestampMs, value)
  return []
}

const ownKey = (_click: string, key: string): string => key

export const everyKind = topology('every-kind', () => {
  const clicks$ = stream(clicks)
  const pages$ = stream(pages)
  const perMinute$ = clicks$.pipe(count(perMinute))
  toTable(perMinute$, windowedRows)
  const left = toTable(pages$, pageRows)
  const by = { by: authorOf, keyOf: (page: string) => page }
  joinTablesByForeignKey(left, table(authors, authorRows), by, (page) => page)
  return [
    clicks$.pipe(count(keyValue)),
    clicks$.pipe(count(perTwo)),
    clicks$.pipe(count(around)),
    clicks$.pipe(count(visits)),
    perMinute$.pipe(suppress(held, untilTimeLimit(60 * minuteMs))),
    clicks$.pipe(distinctBy(distinct, ({ value }) => value)),
    clicks$.pipe(leftJoinWithin(pages$, joined, (click) => click)),
    clicks$.pipe(leftJoinTable(table(names, versioned), (click) => click, waiting)),
    clicks$.pipe(process('noting', { notes }, { onRecord: note })),
    clicks$.pipe(joinGlobal(globalTable(owners), ownKey, (click) => click)),
  ]
})

/** Topic, key, value, seconds. */
export const everyRecord = [
  [owners, 'home', 'Ann', 0],
  [owners, 'shop', 'Bob', 0],
  [names, 'home', 'Home', 0],
  [pages, 'home', 'ann', 0],
  [clicks, 'home', 'c1', 0],
  [clicks, 'home', 'c2', 61],
  [clicks, 'shop', 'c3', 62],
  [clicks, 'homer', 'c4', 63],
] as const

type EveryRecord = readonly [topic: typeof clicks, key: string, value: string, second: number]

/** The records in a driver with three partitions, and more behind them. */
export const driveEveryKind = (more: readonly EveryRecord[] = []): StoreSource => {
  const driver = new TopologyDriver(everyKind, { partitions: 3 })
  for (const [to, key, value, second] of [...everyRecord, ...more]) {
    driver.pipe(to, key, value, { timestampMs: second * 1_000 })
  }
  expect(driver.deadLetters()).toEqual([])
  return {
    named: (name) => storeByName(everyKind.plan.stores, name),
    query: (store) => driver.query(store),
    async global(name) {
      if (!everyKind.plan.globals.has(name)) return undefined
      return { topic: owners, ...faceOf(driver) } as never
    },
  }
}

/** Of the driver's copy of the table. */
const faceOf = (driver: TopologyDriver) => {
  const rows = driver.globalRows(owners)
  return { entries: () => rows, row: (key: string) => rows.find(([each]) => each === key)?.[1] }
}
