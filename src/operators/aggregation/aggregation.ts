/**
 * The node of an aggregate, whatever it groups by: one per store, fed by one or several streams.
 *
 * Called by `aggregate`, `count`, `reduce` and `cogroup`, which differ in what they fold only.
 */

import type { StreamRecord } from '../../record.ts'
import type { WindowedFaces, WindowedStore } from '../../stores/windowed-store.ts'
import type { HotStream } from '../../topology/hot-stream.ts'
import { currentScope } from '../../topology/scope.ts'
import type { EmitOptions, Fold, Merge } from './fold.ts'
import { type KeyAggregateStore, KeyAggregation } from './key-aggregation.ts'
import { SessionAggregation } from './session-aggregation.ts'
import { SlidingAggregation } from './sliding-aggregation.ts'
import { TimeWindowAggregation } from './time-window-aggregation.ts'

export type AggregateStore<K, A> = KeyAggregateStore<K, A> | WindowedStore<K, A>

/** Takes the records of one node. */
export interface Aggregation<K, A> {
  add<V>(record: StreamRecord<K, V>, fold: Fold<K, V, A>): void
}

export interface AggregationNode<K, A> extends Aggregation<K, A> {
  readonly out: HotStream<StreamRecord<never, A>>
}

export interface AggregationOptions<K, A> extends EmitOptions {
  /** Only sessions are ever merged. */
  readonly merge?: Merge<K, A>
}

/**
 * Captures the current scope, as every operator does when it is called.
 *
 * @returns makes the node, when the operator is applied; the caller connects what feeds it
 */
export const aggregationNode = <K, A>(
  operator: string,
  store: AggregateStore<K, A>,
  options: AggregationOptions<K, A> = {},
): (() => AggregationNode<K, A>) => {
  const scope = currentScope(operator)
  const kind = store.kind === 'windowed' ? `windowed-${operator}` : operator // its keys are others
  return () => {
    const out = scope.node<StreamRecord<never, A>>({ kind, name: store.name, stores: [store] })
    const aggregation = aggregationOf(out as HotStream<unknown>, store, options)
    return { out, add: (record, fold) => aggregation.add(record, fold) }
  }
}

const aggregationOf = <K, A>(
  out: HotStream<unknown>,
  store: AggregateStore<K, A>,
  options: AggregationOptions<K, A>,
): Aggregation<K, A> => {
  if (store.kind !== 'windowed') {
    return new KeyAggregation<K, A>(out as HotStream<StreamRecord<K, A | undefined>>, store)
  }
  const rows = out.scope.open(out.node, store)
  const { windows } = store
  const parts = { out: out as HotStream<never>, store, options }
  switch (windows.kind) {
    case 'session':
      return new SessionAggregation({
        ...parts,
        windows,
        rows: rows as WindowedFaces<K, A>['session'],
      })
    case 'sliding':
      return new SlidingAggregation({
        ...parts,
        windows,
        rows: rows as WindowedFaces<K, A>['sliding'],
      })
    default:
      return new TimeWindowAggregation({
        ...parts,
        windows,
        rows: rows as WindowedFaces<K, A>['tumbling'],
      })
  }
}
