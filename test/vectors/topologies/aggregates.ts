/** `agg-stream`, `agg-table`, `cogroup`. */

import {
  aggregate,
  cogroup,
  count,
  folding,
  aggregateGroups,
  countGroups,
  mapValues,
  type Observable,
  groupTable,
  reduce,
  reduceGroups,
  repartitionTopic,
  replacement,
  stream,
  type StreamRecord,
  table,
  tableStore,
  type TableStore,
  to,
  topology,
  type Topic,
  utf8,
} from '../../../src/index.ts'
import type { TopologyDriver } from '../../../src/testing/index.ts'
import { type Family, textOutput, textTopic } from '../family.ts'
import { fk, h31, h37, mergeSessions, num } from '../functions.ts'
import type { StoreRow } from '../vector-case.ts'
import { windowOutput, windowRows, windowTopic } from '../windows-of.ts'
import { windowStoreOf } from './windows.ts'

const topicIn = textTopic('in')
const left = textTopic('left')
const right = textTopic('right')
const out = textTopic('out')
const windowOut = windowTopic('out')

/** Numbers as the text of their digits, as counts were recorded. */
export const digits = {
  format: 'digits',
  encode: (value: number): Uint8Array => utf8.encode(`${value}`),
  decode: (bytes: Uint8Array): number => Number(utf8.decode(bytes)),
}

export const tableRows =
  <V>(store: TableStore<string, V>) =>
  (driver: TopologyDriver): readonly StoreRow[] =>
    driver
      .query(store)
      .partitions()
      .flatMap((reader) =>
        [...reader.range()].map(
          ([key, { value, timestampMs }]) => [key, `${value}`, timestampMs] as const,
        ),
      )

type Texts = Observable<StreamRecord<string, string | undefined>>

export const aggregatesFamily: Family = {
  'agg-stream': ({ op }) => {
    const texts = tableStore('store', { key: utf8, value: utf8 })
    const counts = tableStore('store', { key: utf8, value: digits })
    const unlessNine = (stored: string, value: string | undefined): string | undefined =>
      value === '9' ? undefined : h31(stored, value)
    const result = (in$: Texts): Texts => {
      if (op === 'count') return in$.pipe(count(counts), mapValues(String))
      if (op === 'reduce') return in$.pipe(reduce(texts, h31))
      return in$.pipe(aggregate(texts, () => '1', unlessNine))
    }
    return {
      outputs: [textOutput(out)],
      stores: { store: op === 'count' ? tableRows(counts) : tableRows(texts) },
      topology: topology('agg-stream', () => [result(stream(topicIn)).pipe(to(out))]),
    }
  },
  'agg-table': ({ op }) => {
    const rows = tableStore('rows', { key: utf8, value: utf8 })
    const texts = tableStore('store', { key: utf8, value: utf8 })
    const counts = tableStore('store', { key: utf8, value: digits })
    const byGroup = repartitionTopic('by-group', { key: utf8, value: replacement(utf8) })
    const plus = (a: string, value: string): string => `${Number(a) + num(value)}`
    const minus = (a: string, value: string): string => `${Number(a) - num(value)}`
    const define = (): Texts => {
      const grouped$ = groupTable(
        table(topicIn as Topic<string, string>, rows),
        byGroup,
        (value) => [fk(value), `${num(value)}`],
      )
      if (op === 'count') return grouped$.pipe(countGroups(counts), mapValues(String))
      if (op === 'reduce') return grouped$.pipe(reduceGroups(texts, { add: plus, subtract: minus }))
      return grouped$.pipe(aggregateGroups(texts, () => '1', { add: h31, subtract: h37 }))
    }
    return {
      outputs: [textOutput(out)],
      stores: { store: op === 'count' ? tableRows(counts) : tableRows(texts) },
      topology: topology('agg-table', () => [define().pipe(to(out))]),
    }
  },
  cogroup: (params) => {
    if (params.window === 'none') {
      const store = tableStore('store', { key: utf8, value: utf8 })
      return {
        outputs: [textOutput(out)],
        stores: { store: tableRows(store) },
        topology: topology('cogroup', () => {
          const inputs = [folding(stream(left), h31), folding(stream(right), h37)]
          return [cogroup(store, () => '1', {}, ...inputs).pipe(to(out))]
        }),
      }
    }
    const store = windowStoreOf(String(params.window), params)
    return {
      outputs: [windowOutput(windowOut)],
      stores: { store: windowRows(store) },
      topology: topology('cogroup', () => {
        const inputs = [folding(stream(left), h31), folding(stream(right), h37)]
        const options = { merge: mergeSessions } as never
        return [cogroup(store as never, () => '1', options, ...inputs).pipe(to(windowOut as never))]
      }),
    }
  },
}
