import type { Observable, OperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import type { JoinStore } from '../stores/join-store.ts'
import { currentScope } from '../topology/scope.ts'
import { joinTwoStreams } from './stream-stream-join.ts'

/**
 * Joins each left record with the right records of the same key that lie in its window.
 *
 * A record meets what has come before it on the other side, and is stored to be met by what comes
 * after. Records later than the window and its grace are dropped and counted (see `lateRecords` of
 * the store), as are those without key or value.
 *
 * @param other   co-partitioned stream of the same key type; checked at start
 * @param store   both sides; its window decides who meets whom
 * @param joiner  pure
 * @returns       one record per pair, oldest partner first, timestampMs = max of both sides, key
 *                unchanged; the headers are those of the record that came last
 * @throws {TopologyError} STREAMS_NOT_COPARTITIONED at start: repartition one side
 * @example       clicks$.pipe(joinWithin(views$, shown, (click, view) => ({ ...click, ...view })))
 */
export const joinWithin = <K, A, B, W>(
  other: Observable<StreamRecord<K, B | undefined>>,
  store: JoinStore<K, A, B>,
  joiner: (left: A, right: B, key: K) => W,
): OperatorFunction<StreamRecord<K, A | undefined>, StreamRecord<K, W>> => {
  const scope = currentScope('joinWithin')
  return (source) =>
    joinTwoStreams<K, A, B, W>(scope, {
      kind: 'join-within',
      left: source,
      right: other,
      store,
      join: (left, right, key) => joiner(left as A, right as B, key),
    })
}
