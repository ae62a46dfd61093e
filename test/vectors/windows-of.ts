/** Windows, their stores and what they emit, as the recorded parameters say. */

import {
  hopping,
  nullable,
  session,
  sliding,
  type StoreQuery,
  topic,
  type Topic,
  tumbling,
  utf8,
  windowed,
  type Windowed,
  type WindowedReader,
  type WindowedStore,
  type Windows,
} from '../../src/index.ts'
import type { TopologyDriver } from '../../src/testing/index.ts'
import type { OutputTopic } from './family.ts'
import type { Params, StoreRow } from './vector-case.ts'

export const windowsOf = (kind: string, params: Params): Windows => {
  const ms = (name: string): number => Number(params[name])
  const graceMs = ms('graceMs')
  if (kind === 'tumbling') return tumbling({ sizeMs: ms('sizeMs'), graceMs })
  if (kind === 'sliding') return sliding({ withinMs: ms('timeDifferenceMs'), graceMs })
  if (kind === 'session') return session({ gapMs: ms('gapMs'), graceMs })
  if (kind !== 'hopping') throw new Error(`no windows are named ${kind}`)
  return hopping({ sizeMs: ms('sizeMs'), advanceMs: ms('advanceMs'), graceMs })
}

/** A topic of windowed keys with text. */
export const windowTopic = (name: string): Topic<Windowed<string>, unknown> =>
  topic(name, { key: windowed(utf8), value: nullable(utf8) as never })

export const windowOutput = (output: Topic<Windowed<string>, unknown>): OutputTopic => ({
  topic: output as Topic<unknown, unknown>,
  keyOf: (key) => {
    const { key: inner, startMs, endMs } = key as Windowed<string>
    return { key: inner, start: startMs, end: endMs }
  },
})

/** Committed rows as recorded; sessions come without a timestamp. */
export const windowRows =
  <V>(store: WindowedStore<string, V>) =>
  (driver: TopologyDriver): readonly StoreRow[] => {
    const query = driver.query(store) as StoreQuery<WindowedReader<string, V>>
    return query.partitions().flatMap((reader) =>
      [...reader.all(0, Number.MAX_SAFE_INTEGER)].map(([window, { value, timestampMs }]) => {
        const { key: inner, startMs: start, endMs: end } = window
        const key = { key: inner, start, end }
        return store.windows.kind === 'session'
          ? ([key, `${value}`] as const)
          : ([key, `${value}`, timestampMs] as const)
      }),
    )
  }
