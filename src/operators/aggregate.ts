import type { OperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import type { WindowedStore } from '../stores/windowed-store.ts'
import type { SessionWindows, SlidingWindows, TimeWindows, Windowed } from '../windows/windows.ts'
import { aggregationNode, type AggregateStore } from './aggregation/aggregation.ts'
import type { EmitOptions, SessionOptions } from './aggregation/fold.ts'
import type { KeyAggregateStore } from './aggregation/key-aggregation.ts'

/**
 * Folds the records of each key, or of each key and window, into one stored value.
 *
 * The node is named after its store; the kind of store says what is grouped by. Every update is
 * emitted; the commit, not a cache, decides what reaches the changelog. By key alone and in sliding
 * windows records without a value are dropped and counted; other windows fold them. A record
 * without a key is always dropped and counted, and so is one that is late for its window.
 *
 * @param store    a `tableStore` or `keyValueStore` groups by key; a `windowedStore` by window too
 * @param initial  called for a key (and window) without value
 * @param fold     pure; returns a new value and never changes the old one in place; `undefined`
 *                 deletes and is emitted as a deletion
 * @param options  of windows: `emit` on update (default) or on close; sessions need `merge`
 * @returns        the new aggregate with the headers of the record that caused it; timestamp: the
 *                 highest that went into it (with a `keyValueStore`, that of the record; of a
 *                 session, its end). A session that was merged into another ends with `undefined`
 * @example        payments$.pipe(aggregate(totals, () => 0, (sum, { cents }) => sum + cents))
 */
export function aggregate<K, V, A>(
  store: KeyAggregateStore<K, A>,
  initial: () => A,
  fold: (aggregate: A, value: V, key: K) => A,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, A>>
export function aggregate<K, V, A>(
  store: WindowedStore<K, A, TimeWindows | SlidingWindows>,
  initial: () => A,
  fold: (aggregate: A, value: V, key: K) => A,
  options?: EmitOptions,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<Windowed<K>, A>>
export function aggregate<K, V, A>(
  store: WindowedStore<K, A, SessionWindows>,
  initial: () => A,
  fold: (aggregate: A, value: V, key: K) => A | undefined,
  options: SessionOptions<K, A>,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<Windowed<K>, A | undefined>>
export function aggregate<K, V, A>(
  store: KeyAggregateStore<K, A>,
  initial: () => A,
  fold: (aggregate: A, value: V, key: K) => A | undefined,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, A | undefined>>
export function aggregate<K, V, A>(
  store: WindowedStore<K, A, TimeWindows | SlidingWindows>,
  initial: () => A,
  fold: (aggregate: A, value: V, key: K) => A | undefined,
  options?: EmitOptions,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<Windowed<K>, A | undefined>>
export function aggregate<K, V, A>(
  store: AggregateStore<K, A>,
  initial: () => A,
  fold: (aggregate: A, value: V, key: K) => A | undefined,
  options: EmitOptions & Partial<SessionOptions<K, A>> = {},
): OperatorFunction<StreamRecord<K, V>, StreamRecord<never, A>> {
  const { merge, ...emit } = options
  const step = (stored: A | undefined, value: V, key: K): A | undefined =>
    fold(stored === undefined ? initial() : stored, value, key)
  const whole = { step, ignoresNull: false, input: 0 }
  const makeNode = aggregationNode<K, A>('aggregate', store, {
    ...emit,
    ...(merge && {
      merge: (merged, part, key) => merge(merged === undefined ? initial() : merged, part, key),
    }),
  })
  return (source) => {
    const node = makeNode()
    node.out.listen(source, (record) => node.add(record, whole))
    return node.out
  }
}
