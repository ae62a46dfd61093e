/** `suppress-…`: updates held back until a window closes, or for a time. */

import {
  count,
  mapValues,
  nullable,
  type Observable,
  stream,
  type StreamRecord,
  suppress,
  suppressStore,
  table,
  tableStore,
  to,
  topology,
  toStream,
  topic,
  tumbling,
  untilTimeLimit,
  untilWindowCloses,
  utf8,
  windowed,
  windowedStore,
} from '../../../src/index.ts'
import { type Built, type Family, textOutput, textTopic } from '../family.ts'
import type { Params } from '../vector-case.ts'
import { windowOutput, windowTopic } from '../windows-of.ts'
import { digits } from './aggregates.ts'
import { aggregated, windowStoreOf } from './windows.ts'

const topicIn = topic('in', { key: utf8, value: nullable(utf8) })
const tableIn = topic('in', { key: utf8, value: utf8 })
const out = textTopic('out')
const windowOut = windowTopic('out')
const held = suppressStore('held', { key: utf8, value: utf8 })
const heldWindows = suppressStore('held', { key: windowed(utf8), value: utf8 })

const untilClose = (params: Params): Built => {
  const store = windowStoreOf(String(params.window), params)
  return {
    outputs: [windowOutput(windowOut)],
    topology: topology('suppress-close', () => [
      aggregated(stream(topicIn), store, params).pipe(
        suppress(heldWindows, untilWindowCloses(store.windows)),
        to(windowOut),
      ),
    ]),
  }
}

export const suppressedFamily: Family = {
  'suppress-close-tumbling': untilClose,
  'suppress-close-session': untilClose,
  'suppress-limit': (params) => {
    const { limitMs, maxRecords, source, sizeMs, graceMs } = params
    const bound = typeof maxRecords === 'number' ? { recordsMax: maxRecords } : {}
    const limit = untilTimeLimit(Number(limitMs), bound)
    if (source !== 'tumbling') {
      const counts = tableStore('counts', { key: utf8, value: digits })
      type Texts = Observable<StreamRecord<string, string | undefined>>
      const updates = (): Texts =>
        source === 'table'
          ? toStream(table(tableIn))
          : stream(topicIn).pipe(count(counts), mapValues(String))
      return {
        outputs: [textOutput(out)],
        topology: topology('suppress-limit', () => [
          updates().pipe(suppress(held, limit), to(out)),
        ]),
      }
    }
    const counts = windowedStore('counts', {
      key: utf8,
      value: digits,
      windows: tumbling({ sizeMs: Number(sizeMs), graceMs: Number(graceMs) }),
    })
    return {
      outputs: [windowOutput(windowOut)],
      topology: topology('suppress-limit', () => [
        stream(topicIn).pipe(
          count(counts),
          mapValues(String),
          suppress(heldWindows, limit),
          to(windowOut),
        ),
      ]),
    }
  },
}
