import type { OperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import type { WindowedStore } from '../stores/windowed-store.ts'
import type { SessionWindows, SlidingWindows, TimeWindows, Windowed } from '../windows/windows.ts'
import { aggregationNode, type AggregateStore } from './aggregation/aggregation.ts'
import type { EmitOptions } from './aggregation/fold.ts'
import type { KeyAggregateStore } from './aggregation/key-aggregation.ts'

/**
 * Counts the records of each key, or of each key and window.
 *
 * As `aggregate` with `+ 1`; sessions are merged by adding. Records without a value count in
 * tumbling, hopping and session windows, as in Kafka Streams.
 *
 * @param store    of numbers; its kind says what is grouped by
 * @param options  of windows: `emit` on update (default) or on close
 * @returns        the new count, see `aggregate`
 * @example        clicks$.pipe(count(clicksPerMinute, { emit: 'onClose' }))
 */
export function count<K>(
  store: KeyAggregateStore<K, number>,
): OperatorFunction<StreamRecord<K, unknown>, StreamRecord<K, number>>
export function count<K>(
  store: WindowedStore<K, number, SessionWindows>,
  options?: EmitOptions,
): OperatorFunction<StreamRecord<K, unknown>, StreamRecord<Windowed<K>, number | undefined>>
export function count<K>(
  store: WindowedStore<K, number, TimeWindows | SlidingWindows>,
  options?: EmitOptions,
): OperatorFunction<StreamRecord<K, unknown>, StreamRecord<Windowed<K>, number>>
export function count<K>(
  store: AggregateStore<K, number>,
  options: EmitOptions = {},
): OperatorFunction<StreamRecord<K, unknown>, StreamRecord<never, number>> {
  const makeNode = aggregationNode<K, number>('count', store, { ...options, merge: added })
  return (source) => {
    const node = makeNode()
    node.out.listen(source, (record) => node.add(record, oneMore))
    return node.out
  }
}

const added = (merged: number | undefined, session: number): number => (merged ?? 0) + session

const oneMore = {
  step: (counted: number | undefined): number => (counted ?? 0) + 1,
  ignoresNull: false,
  input: 0,
}
