import type { Observable, OperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import type { JoinStore } from '../stores/join-store.ts'
import { currentScope } from '../topology/scope.ts'
import { joinTwoStreams } from './stream-stream-join.ts'

/**
 * Joins each left record with the right records of the same key that lie in its window.
 *
 * A left record without a partner is emitted once, with `undefined`, when stream time is more than
 * the window's end and its grace past it (found by the next record of either side, up to one second
 * later). A record that old on arrival is late: dropped and counted, as is one without a value, or
 * a right one without a key; a left one without a key is emitted at once, with `undefined`. A left
 * record is joined or reported as alone, never both, unless the store has `lateRecords: 'join'`.
 *
 * Why staged: the emission and the removal from the store must commit together. Stream time moves
 * with records only: where an idle partition must not wait, use `process` with a punctuator.
 *
 * @param other   co-partitioned stream of the same key type; checked at start
 * @param store   both sides; its window decides who meets whom
 * @param joiner  pure; gets `undefined` where no partner came in time
 * @returns       one record per pair, oldest partner first, timestampMs = max of both sides, key
 *                unchanged; the headers are those of the record that caused the emission
 * @throws {TopologyError} STREAMS_NOT_COPARTITIONED at start: repartition one side
 * @example       orders$.pipe(leftJoinWithin(payments$, awaitingPayment, settle))
 */
export const leftJoinWithin = <K, A, B, W>(
  other: Observable<StreamRecord<K, B | undefined>>,
  store: JoinStore<K, A, B>,
  joiner: (left: A, right: B | undefined, key: K) => W,
): OperatorFunction<StreamRecord<K, A | undefined>, StreamRecord<K, W>> => {
  const scope = currentScope('leftJoinWithin')
  return (source) =>
    joinTwoStreams<K, A, B, W>(scope, {
      kind: 'left-join-within',
      left: source,
      right: other,
      store,
      join: (left, right, key) => joiner(left as A, right, key),
    })
}
