/** Aggregates by key and by every kind of window, on update and on close; suppress; distinctBy. */

import {
  aggregate,
  cogroup,
  count,
  distinctBy,
  distinctStore,
  filter,
  folding,
  hopping,
  keyValueStore,
  reduce,
  session,
  sliding,
  stream,
  suppress,
  suppressStore,
  tableStore,
  to,
  topology,
  tumbling,
  untilTimeLimit,
  untilWindowCloses,
  utf8,
  windowedStore,
  type WindowedStore,
  type Windows,
} from '../../src/index.ts'
import {
  add,
  anyOutputs,
  counts,
  type Family,
  left,
  out,
  right,
  type Times,
  type Value,
  windowCounts,
  windowOut,
  zero,
} from './family.ts'

export const aggregateFamilies = (times: Times): Readonly<Record<string, Family>> => ({
  'count by key': ofKey('key-value'),
  'sum by key with times': ofKey('table'),
  'reduce by key': reduced(),
  'cogroup by key': cogrouped(),
  ...windowFamilies(times),
  'suppress until windows close': suppressedWindows(times),
  'suppress until a time limit': suppressedUpdates(Infinity),
  'suppress with a bound of keys': { ...suppressedUpdates(2), dependsOnPartition: true },
  distinctBy: distinct(times),
})

const ofKey = (kind: 'key-value' | 'table'): Family => {
  const store = kind === 'table' ? tableStore('sums', counts) : keyValueStore('sums', counts)
  return {
    topology: topology('by-key', () => [
      stream(left).pipe(kind === 'table' ? aggregate(store, zero, add) : count(store), to(out)),
    ]),
    inputs: [left],
    outputs: anyOutputs(out),
  }
}

const reduced = (): Family => {
  const store = tableStore('highest', counts)
  const isValue = () => filter<string, number>(({ value }) => value !== undefined)
  return {
    topology: topology('reduced', () => [
      stream(left).pipe(
        isValue(),
        reduce(store, (a, b) => Math.max(a, b)),
        to(out),
      ),
    ]),
    inputs: [left],
    outputs: anyOutputs(out),
  }
}

const cogrouped = (): Family => {
  const store = tableStore('together', counts)
  const subtract = (sum: number, value: Value): number => sum - (value ?? 0)
  return {
    topology: topology('cogrouped', () => [
      cogroup(store, zero, {}, folding(stream(left), add), folding(stream(right), subtract)).pipe(
        to(out),
      ),
    ]),
    inputs: [left, right],
    outputs: anyOutputs(out),
  }
}

const windowFamilies = (times: Times): Readonly<Record<string, Family>> => {
  const { graceMs } = times
  const kinds: Readonly<Record<string, Windows>> = {
    tumbling: tumbling({ sizeMs: 20, graceMs }),
    hopping: hopping({ sizeMs: 30, advanceMs: 10, graceMs }),
    sliding: sliding({ withinMs: 15, graceMs }),
    session: session({ gapMs: 8, graceMs }),
  }
  return Object.fromEntries(
    Object.entries(kinds).flatMap(([kind, windows]) => [
      [`${kind} windows on update`, windowFamily(windows, 'onUpdate', times)],
      [`${kind} windows on close`, windowFamily(windows, 'onClose', times)],
    ]),
  )
}

const windowFamily = (
  windows: Windows,
  emit: 'onUpdate' | 'onClose',
  { emitIntervalMs, retentionMs }: Times,
): Family => {
  const store = windowedStore('windows', {
    ...counts,
    windows,
    ...(retentionMs === undefined ? {} : { retentionMs }),
  }) as WindowedStore<string, number>
  const options = emit === 'onClose' ? { emit, emitIntervalMs } : { emit }
  return {
    topology: topology('windowed', () => [
      stream(left).pipe(
        aggregate(store as never, zero, add, { ...options, merge: add } as never),
        to(windowOut),
      ),
    ]),
    inputs: [left],
    outputs: anyOutputs(windowOut),
    emitsOnTime: emit === 'onClose',
  }
}

const suppressedWindows = ({ graceMs }: Times): Family => {
  const windows = tumbling({ sizeMs: 20, graceMs })
  const store = windowedStore('windows', { ...counts, windows })
  const held = suppressStore('held', windowCounts)
  return {
    topology: topology('suppressed-windows', () => [
      stream(left).pipe(count(store), suppress(held, untilWindowCloses(windows)), to(windowOut)),
    ]),
    inputs: [left],
    outputs: anyOutputs(windowOut),
    emitsOnTime: true,
  }
}

const suppressedUpdates = (recordsMax: number): Family => {
  const store = tableStore('sums', counts)
  const held = suppressStore('held', counts)
  return {
    topology: topology('suppressed-updates', () => [
      stream(left).pipe(
        aggregate(store, zero, add),
        suppress(held, untilTimeLimit(30, { recordsMax })),
        to(out),
      ),
    ]),
    inputs: [left],
    outputs: anyOutputs(out),
    emitsOnTime: true,
    // when the limit of a key passes decides which of its updates is the last before it
    dependsOnPartition: true,
  }
}

const distinct = ({ graceMs }: Times): Family => {
  const seen = distinctStore('seen', { id: utf8, withinMs: 25, graceMs })
  return {
    topology: topology('distinct', () => [
      stream(left).pipe(
        distinctBy(seen, ({ key, value }) => `${key}-${(value ?? 0) % 3}`),
        to(out),
      ),
    ]),
    inputs: [left],
    outputs: anyOutputs(out),
  }
}
