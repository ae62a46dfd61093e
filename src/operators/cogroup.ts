import type { Observable } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import type { WindowedStore } from '../stores/windowed-store.ts'
import type { SessionWindows, SlidingWindows, TimeWindows, Windowed } from '../windows/windows.ts'
import { aggregationNode, type AggregateStore } from './aggregation/aggregation.ts'
import type { EmitOptions, SessionOptions } from './aggregation/fold.ts'
import type { KeyAggregateStore } from './aggregation/key-aggregation.ts'

/** A stream and how its values are folded into the aggregate it shares with others. */
export interface CogroupInput<K, A> {
  /** For `cogroup` only. */
  connect(listen: CogroupListen<K, A>): void
}

type CogroupListen<K, A> = <V>(
  source: Observable<StreamRecord<K, V>>,
  fold: (aggregate: A, value: V, key: K) => A | undefined,
) => void

/**
 * One of the streams of a `cogroup`.
 *
 * @param source  co-partitioned with the others; checked at start
 * @param fold    as that of `aggregate`
 */
export const folding = <K, V, A>(
  source: Observable<StreamRecord<K, V>>,
  fold: (aggregate: A, value: NoInfer<V>, key: NoInfer<K>) => A | undefined,
): CogroupInput<K, A> => ({ connect: (listen) => listen(source, fold) })

/**
 * Folds several streams of the same key into one aggregate, each by a function of its own.
 *
 * What would else be an aggregate per stream and joins of them is one store and one update per
 * record. Windows, nulls, late records and timestamps are those of `aggregate`.
 *
 * @param store    its kind says what is grouped by
 * @param initial  called for a key (and window) without value
 * @param options  `{}` by key alone, else those of `aggregate`
 * @param inputs   at least one
 * @returns        the new aggregate, see `aggregate`
 * @example        cogroup(baskets, () => empty, {},
 *                   folding(added$, addItem), folding(removed$, removeItem))
 */
export function cogroup<K, A>(
  store: KeyAggregateStore<K, A>,
  initial: () => A,
  options: Readonly<Record<string, never>>,
  ...inputs: readonly CogroupInput<K, A>[]
): Observable<StreamRecord<K, A | undefined>>
export function cogroup<K, A>(
  store: WindowedStore<K, A, SessionWindows>,
  initial: () => A,
  options: SessionOptions<K, A>,
  ...inputs: readonly CogroupInput<K, A>[]
): Observable<StreamRecord<Windowed<K>, A | undefined>>
export function cogroup<K, A>(
  store: WindowedStore<K, A, TimeWindows | SlidingWindows>,
  initial: () => A,
  options: EmitOptions,
  ...inputs: readonly CogroupInput<K, A>[]
): Observable<StreamRecord<Windowed<K>, A | undefined>>
export function cogroup<K, A>(
  store: AggregateStore<K, A>,
  initial: () => A,
  { merge, ...emit }: EmitOptions & Partial<SessionOptions<K, A>>,
  ...inputs: readonly CogroupInput<K, A>[]
): Observable<StreamRecord<never, A>> {
  const node = aggregationNode<K, A>('cogroup', store, {
    ...emit,
    ...(merge && {
      merge: (merged, part, key) => merge(merged === undefined ? initial() : merged, part, key),
    }),
  })()
  for (const [index, input] of inputs.entries()) {
    input.connect(
      <V>(
        source: Observable<StreamRecord<K, V>>,
        fold: (aggregate: A, value: V, key: K) => A | undefined,
      ) => {
        const step = (stored: A | undefined, value: V, key: K): A | undefined =>
          fold(stored === undefined ? initial() : stored, value, key)
        const whole = { step, ignoresNull: false, input: index }
        node.out.listen(source, (record) => node.add(record, whole))
      },
    )
  }
  return node.out
}
