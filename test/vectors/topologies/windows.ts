/** `win-…` and `win-…-final`: windowed counts and aggregates, emitted on update or on close. */

import {
  aggregate,
  count,
  type EmitOptions,
  mapValues,
  type Observable,
  stream,
  type StreamRecord,
  to,
  topology,
  utf8,
  type Windowed,
  windowedStore,
  type WindowedStore,
} from '../../../src/index.ts'
import { type Built, type Family, textTopic } from '../family.ts'
import { h31, mergeSessions } from '../functions.ts'
import type { Params } from '../vector-case.ts'
import { windowOutput, windowRows, windowsOf, windowTopic } from '../windows-of.ts'

const topicIn = textTopic('in')
const out = windowTopic('out')

export type TextStore = WindowedStore<string, string>
export type WindowUpdates = Observable<StreamRecord<Windowed<string>, string | undefined>>
type Texts = Observable<StreamRecord<string, string | undefined>>

/** The store of either operation holds text, as recorded; a count is kept as its digits. */
export const windowStoreOf = (kind: string, params: Params): TextStore => {
  const windows = windowsOf(kind, params)
  const { retentionMs } = params
  // Kafka Streams' default retention is a hard bound too: the recording shows what it loses
  const isFinal = params.emit === 'onWindowClose'
  const bound = typeof retentionMs === 'number' ? retentionMs : defaultRetentionMs(kind, params)
  return windowedStore('store', {
    key: utf8,
    value: utf8,
    windows,
    // the store Kafka Streams uses for results on close shows rows at the very bound
    ...(isFinal && kind !== 'session' && { retentionMs: bound + 1 }),
  })
}

const defaultRetentionMs = (kind: string, params: Params): number =>
  Number(params.graceMs)
  + (kind === 'sliding' ? 2 * Number(params.timeDifferenceMs) : Number(params.sizeMs))

/** The windowed count or aggregate the parameters name. */
export const aggregated = (in$: Texts, store: TextStore, params: Params): WindowUpdates => {
  const options: EmitOptions =
    params.emit === 'onWindowClose'
      ? { emit: 'onClose', emitIntervalMs: Number(params.emitIntervalMs) }
      : {}
  if (params.op !== 'count') {
    const merge = mergeSessions
    return in$.pipe(aggregate(store as never, () => '0', h31, { ...options, merge } as never))
  }
  return in$.pipe(
    count(numbersIn(store) as never, options),
    mapValues((counted: number | undefined) => counted?.toString()),
  ) as never
}

/** The same store for numbers. */
const numbersIn = (store: TextStore): WindowedStore<string, number> => {
  const digits = {
    format: 'digits',
    encode: (value: number) => utf8.encode(`${value}`),
    decode: (bytes: Uint8Array) => Number(utf8.decode(bytes)),
  }
  const { name, key, windows, retentionMs, isBounded } = store
  const bound = isBounded ? { retentionMs } : {}
  return windowedStore(name, { key, value: digits, windows, ...bound })
}

const windowFamily =
  (kind: string) =>
  (params: Params): Built => {
    const store = windowStoreOf(kind, params)
    return {
      outputs: [windowOutput(out)],
      stores: { store: windowRows(store) },
      topology: topology('windows', () => [
        aggregated(stream(topicIn), store, params).pipe(to(out)),
      ]),
    }
  }

export const windowsFamily: Family = Object.fromEntries(
  ['tumbling', 'hopping', 'sliding', 'session'].flatMap((kind) => [
    [`win-${kind}`, windowFamily(kind)],
    [`win-${kind}-final`, windowFamily(kind)],
  ]),
)
