/** `repartition-count` and `to-table`: records under other keys, through an internal topic. */

import {
  count,
  filter,
  flatMap,
  mapRecord,
  mapValues,
  type Observable,
  repartitionBy,
  repartitionTopic,
  stream,
  type StreamRecord,
  tableStore,
  to,
  topology,
  toStream,
  toTable,
  tumbling,
  utf8,
  windowedStore,
} from '../../../src/index.ts'
import { type Built, type Family, textOutput, textRows, textTopic } from '../family.ts'
import { fk, itemsOf } from '../functions.ts'
import type { Params } from '../vector-case.ts'
import { windowOutput, windowRows, windowTopic } from '../windows-of.ts'
import { digits, tableRows } from './aggregates.ts'

const topicIn = textTopic('in')
const out = textTopic('out')
const direct = textTopic('direct')
const windowOut = windowTopic('out')
const byItem = repartitionTopic('by-item', textTopic('by-item'))

type Texts = Observable<StreamRecord<string, string | undefined>>

const firstOf = (value: string | undefined): string => fk(itemsOf(value)[0]) as string

/** The stream that goes to `direct`, and the one that is counted. */
const rekeyed = (in$: Texts, via: unknown): readonly [direct: Texts, grouped: Texts] => {
  const hasKey = filter<string, string | undefined>(({ key }) => key !== undefined)
  if (via === 'groupBy') {
    const selected$ = in$.pipe(mapRecord(({ value }) => [firstOf(value), value]))
    return [in$, selected$.pipe(hasKey, repartitionBy(byItem, keyOf))]
  }
  const rekeyed$ =
    via === 'flatMap'
      ? in$.pipe(flatMap(({ value }) => itemsOf(value).map((item) => [fk(item) as string, item])))
      : in$.pipe(mapRecord(({ value }) => [firstOf(value), value]))
  const grouped$ = rekeyed$.pipe(hasKey, repartitionBy(byItem, keyOf))
  return [via === 'repartition' ? grouped$ : rekeyed$, grouped$]
}

const keyOf = ({ key }: StreamRecord<string, string | undefined>): string => key

export const rekeyedFamily: Family = {
  'repartition-count': (params) => (params.window === 'none' ? plain(params) : windows(params)),
  'to-table': ({ rekey, materialized }) => {
    const store = tableStore('store', { key: utf8, value: utf8 })
    return {
      outputs: [textOutput(out)],
      stores: materialized === true ? { store: textRows(store) } : {},
      topology: topology('to-table', () => {
        const keyOfRow = (key: string, value: string | undefined): string =>
          value === undefined ? key : firstOf(value)
        const in$ = stream(topicIn)
        const rekeyed$ = (): Texts =>
          in$.pipe(
            mapRecord(({ key, value }) => [keyOfRow(key, value), value]),
            filter(({ key }) => key !== undefined),
            repartitionBy(byItem, keyOf),
          )
        const kept = materialized === true ? store : undefined
        return [toStream(toTable(rekey === true ? rekeyed$() : in$, kept)).pipe(to(out))]
      }),
    }
  },
}

const plain = ({ via }: Params): Built => {
  const store = tableStore('store', { key: utf8, value: digits })
  return {
    outputs: [textOutput(out), textOutput(direct)],
    stores: { store: tableRows(store) },
    topology: topology('repartition-count', () => {
      const [direct$, grouped$] = rekeyed(stream(topicIn), via)
      return [
        direct$.pipe(to(direct)),
        grouped$.pipe(count(store), mapValues(String)).pipe(to(out)),
      ]
    }),
  }
}

const windows = ({ via, sizeMs, graceMs }: Params): Built => {
  const store = windowedStore('store', {
    key: utf8,
    value: digits,
    windows: tumbling({ sizeMs: Number(sizeMs), graceMs: Number(graceMs) }),
  })
  return {
    outputs: [windowOutput(windowOut), textOutput(direct)],
    stores: { store: windowRows(store) },
    topology: topology('repartition-count', () => {
      const [direct$, grouped$] = rekeyed(stream(topicIn), via)
      return [
        direct$.pipe(to(direct)),
        grouped$.pipe(count(store), mapValues(String)).pipe(to(windowOut)),
      ]
    }),
  }
}
