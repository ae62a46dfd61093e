import type { Observable, OperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import type { JoinStore } from '../stores/join-store.ts'
import { currentScope } from '../topology/scope.ts'
import { joinTwoStreams } from './stream-stream-join.ts'

/**
 * As `leftJoinWithin`, but no side is lost: a right record without a partner is emitted too.
 *
 * A right record is over when stream time is more than the store's `beforeMs + graceMs` past it, a
 * left one after `afterMs + graceMs`.
 *
 * @param other   co-partitioned stream of the same key type; checked at start
 * @param store   both sides; its window decides who meets whom
 * @param joiner  pure; gets `undefined` for the side without a partner, never for both
 * @returns       one record per pair, oldest partner first, timestampMs = max of both sides; one
 *                per record that stayed alone, with its own time; key unchanged
 * @throws {TopologyError} STREAMS_NOT_COPARTITIONED at start: repartition one side
 * @example       booked$.pipe(outerJoinWithin(billed$, both, (b, i) => ({ booked: b, billed: i })))
 */
export const outerJoinWithin = <K, A, B, W>(
  other: Observable<StreamRecord<K, B | undefined>>,
  store: JoinStore<K, A, B>,
  joiner: (left: A | undefined, right: B | undefined, key: K) => W,
): OperatorFunction<StreamRecord<K, A | undefined>, StreamRecord<K, W>> => {
  const scope = currentScope('outerJoinWithin')
  return (source) =>
    joinTwoStreams<K, A, B, W>(scope, {
      kind: 'outer-join-within',
      left: source,
      right: other,
      store,
      join: joiner,
    })
}
