import type { OperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import type { WindowedStore } from '../stores/windowed-store.ts'
import type { SessionWindows, SlidingWindows, TimeWindows, Windowed } from '../windows/windows.ts'
import { aggregationNode, type AggregateStore } from './aggregation/aggregation.ts'
import type { EmitOptions } from './aggregation/fold.ts'
import type { KeyAggregateStore } from './aggregation/key-aggregation.ts'

/**
 * Combines the values of each key, or of each key and window, into one of the same type.
 *
 * The first value is taken as it is. Sessions are merged by the same function. Records without key
 * or value are dropped and counted, in every kind of window: there is nothing to combine.
 *
 * @param store    of values as they flow; its kind says what is grouped by
 * @param combine  pure; gets what was combined so far first, returns a new value
 * @param options  of windows: `emit` on update (default) or on close
 * @returns        the new value, see `aggregate`
 * @example        bids$.pipe(reduce(highestBids, (a, b) => (b.cents > a.cents ? b : a)))
 */
export function reduce<K, V>(
  store: KeyAggregateStore<K, V>,
  combine: (combined: V, value: V, key: K) => V,
): OperatorFunction<StreamRecord<K, V | undefined>, StreamRecord<K, V>>
export function reduce<K, V>(
  store: WindowedStore<K, V, SessionWindows>,
  combine: (combined: V, value: V, key: K) => V,
  options?: EmitOptions,
): OperatorFunction<StreamRecord<K, V | undefined>, StreamRecord<Windowed<K>, V | undefined>>
export function reduce<K, V>(
  store: WindowedStore<K, V, TimeWindows | SlidingWindows>,
  combine: (combined: V, value: V, key: K) => V,
  options?: EmitOptions,
): OperatorFunction<StreamRecord<K, V | undefined>, StreamRecord<Windowed<K>, V>>
export function reduce<K, V>(
  store: AggregateStore<K, V>,
  combine: (combined: V, value: V, key: K) => V,
  options: EmitOptions = {},
): OperatorFunction<StreamRecord<K, V | undefined>, StreamRecord<never, V>> {
  const step = (combined: V | undefined, value: V | undefined, key: K): V | undefined =>
    combined === undefined ? value : combine(combined, value!, key)
  const fold = { step, ignoresNull: true, input: 0 }
  const makeNode = aggregationNode<K, V>('reduce', store, { ...options, merge: step })
  return (source) => {
    const node = makeNode()
    node.out.listen(source, (record) => node.add(record, fold))
    return node.out
  }
}
