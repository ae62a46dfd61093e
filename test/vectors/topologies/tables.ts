/** Filters and mappings of tables. */

import {
  countGroups,
  filterTable,
  groupTable,
  mapTableValues,
  mapValues,
  repartitionTopic,
  replacement,
  table,
  type Table,
  tableStore,
  to,
  topic,
  topology,
  toStream,
  utf8,
} from '../../../src/index.ts'
import { type Built, type Family, textOutput, textRows, textTopic } from '../family.ts'
import { num } from '../functions.ts'
import type { Params } from '../vector-case.ts'
import { digits, tableRows } from './aggregates.ts'

const topicIn = topic('in', { key: utf8, value: utf8 })
const out = textTopic('out')
const text = { key: utf8, value: utf8 }
const source = tableStore('src', text)
const kept = tableStore('store', text)

/** Kafka Streams keeps it as soon as a grouping needs old values that nobody behind it keeps. */
const sourceOf = (params: Params, isResultKept: boolean): Table<string, string> => {
  const isNeeded = params.downstream === 'groupByCount' && !isResultKept
  return table(topicIn, params.materializeSource === true || isNeeded ? source : undefined)
}

const counts = tableStore('cnt', { key: utf8, value: digits })
const byGroup = repartitionTopic('by-group', { key: utf8, value: replacement(utf8) })

interface Shape {
  readonly isKept: boolean
  readonly define: () => Table<string, string>
  /** Of a row's value, where the rows are counted by group. */
  readonly groupOf: ((value: string) => string) | undefined
}

const built = ({ isKept, define, groupOf }: Shape): Built => ({
  outputs: [textOutput(out)],
  stores: { ...(isKept && { store: textRows(kept) }), cnt: tableRows(counts) },
  topology: topology('table', () => {
    const result = define()
    const direct$ = toStream(result).pipe(to(out))
    if (groupOf === undefined) return [direct$]
    const grouped$ = groupTable(result, byGroup, (value) => [groupOf(value), value])
    return [direct$, grouped$.pipe(countGroups(counts), mapValues(String), to(out))]
  }),
})

export const tablesFamily: Family = {
  'table-filter': (params) => {
    const isKept = params.materializeFilter === true
    const define = (): Table<string, string> => {
      const isEven = (value: string): boolean => (num(value) % 2 === 0) !== (params.not === true)
      const filtered = filterTable(sourceOf(params, isKept), isEven, isKept ? kept : undefined)
      if (params.downstream !== 'filter2') return filtered
      return filterTable(filtered, (value) => num(value) > 4)
    }
    const isGrouped = params.downstream === 'groupByCount'
    const groupOf = isGrouped ? (value: string) => `g${num(value) % 3}` : undefined
    return built({ isKept, define, groupOf })
  },
  'table-mapvalues': (params) => {
    const isKept = params.materializeMap === true
    const define = (): Table<string, string> => {
      const tenfold = (value: string): string | undefined =>
        value === '7' ? undefined : `${num(value) * 10}`
      const mapped = mapTableValues(sourceOf(params, isKept), tenfold, isKept ? kept : undefined)
      if (params.downstream !== 'filter') return mapped
      return filterTable(mapped, (value) => num(value) > 40)
    }
    const isGrouped = params.downstream === 'groupByCount'
    const groupOf = isGrouped
      ? (value: string) => `g${value.length}${num(value.slice(0, 1)) % 3}`
      : undefined
    return built({ isKept, define, groupOf })
  },
}
