/** Filters and mappings of tables. */

import {
  filterTable,
  mapTableValues,
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
import { type Params } from '../vector-case.ts'

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

const built = (isKept: boolean, define: () => Table<string, string>): Built => ({
  outputs: [textOutput(out)],
  stores: isKept ? { store: textRows(kept) } : {},
  topology: topology('table', () => [toStream(define()).pipe(to(out))]),
})

export const tablesFamily: Family = {
  'table-filter': (params) => {
    const isKept = params.materializeFilter === true
    return built(isKept, () => {
      const isEven = (value: string): boolean => (num(value) % 2 === 0) !== (params.not === true)
      const filtered = filterTable(sourceOf(params, isKept), isEven, isKept ? kept : undefined)
      if (params.downstream !== 'filter2') return filtered
      return filterTable(filtered, (value) => num(value) > 4)
    })
  },
  'table-mapvalues': (params) => {
    const isKept = params.materializeMap === true
    return built(isKept, () => {
      const tenfold = (value: string): string | undefined =>
        value === '7' ? undefined : `${num(value) * 10}`
      const mapped = mapTableValues(sourceOf(params, isKept), tenfold, isKept ? kept : undefined)
      if (params.downstream !== 'filter') return mapped
      return filterTable(mapped, (value) => num(value) > 40)
    })
  },
}
