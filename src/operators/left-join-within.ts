import { type Observable, type OperatorFunction } from 'rxjs'
import { StreamRecord } from '../record.ts'
import { type JoinState } from '../stores/join-state.ts'
import { type JoinStore } from '../stores/join-store.ts'
import { currentScope } from '../topology/scope.ts'

/**
 * Joins each left record with right records of the same key at most `withinMs` apart.
 *
 * A left record without partner is emitted once, with `undefined`, when stream time is more than
 * `withinMs + graceMs` past it (found by the next record of either side, up to one second later).
 * A record that old on arrival is late: dropped and counted, as is one without a key. A left
 * record is joined or reported as alone, never both.
 *
 * Why staged: the emission and the removal from the store must commit together. Stream time moves
 * with records only: where an idle partition must not wait, use `process` with a punctuator.
 *
 * @param other   co-partitioned stream of the same key type; checked at start
 * @param store   both sides; holds rows for `withinMs + graceMs` of stream time
 * @param joiner  pure; gets `undefined` where no partner came in time
 * @returns       one record per pair, oldest partner first, timestampMs = max of both sides, key
 *                unchanged; the headers are those of the record that caused the emission
 * @throws {TopologyError} STREAMS_NOT_COPARTITIONED at start: repartition one side
 * @example       orders$.pipe(leftJoinWithin(payments$, awaitingPayment, settle))
 */
export const leftJoinWithin = <K, A, B, W>(
  other: Observable<StreamRecord<K, B>>,
  store: JoinStore<K, A, B>,
  joiner: (left: A, right: B | undefined, key: K) => W,
): OperatorFunction<StreamRecord<K, A>, StreamRecord<K, W>> => {
  const scope = currentScope('leftJoinWithin')
  const { name } = store
  return (source) => {
    const out = scope.node<StreamRecord<K, W>>({ kind: 'left-join-within', name, stores: [store] })
    const rows: JoinState<K, A, B> = scope.open(out.node, store)
    const side =
      <V>(add: (record: StreamRecord<K, V>, streamTimeMs: number) => void) =>
      (record: StreamRecord<K, V>): void => {
        const streamTimeMs = scope.streamTimeMs()
        for (const [key, { value, timestampMs }] of rows.expire(streamTimeMs)) {
          const joined = joiner(value, undefined, key)
          out.emit(new StreamRecord(key, joined, timestampMs, record.headers))
        }
        if (record.key === undefined) scope.countDropped(name, 'nullKey')
        else if (rows.isLate(record.timestampMs, streamTimeMs)) scope.countDropped(name, 'late')
        else add(record, streamTimeMs)
      }
    const emit = (
      { key, timestampMs, headers }: StreamRecord<K, unknown>,
      joined: W,
      partnerMs: number,
    ): void => out.emit(new StreamRecord(key, joined, Math.max(timestampMs, partnerMs), headers))

    out.listen(
      source,
      side<A>((record, streamTimeMs) => {
        const { key, value, timestampMs } = record
        for (const right of rows.addLeft(key, value, { timestampMs, streamTimeMs })) {
          emit(record, joiner(value, right.value, key), right.timestampMs)
        }
      }),
    )
    out.listen(
      other,
      side<B>((record, streamTimeMs) => {
        const { key, value, timestampMs } = record
        for (const left of rows.addRight(key, value, { timestampMs, streamTimeMs })) {
          emit(record, joiner(left.value, value, key), left.timestampMs)
        }
      }),
    )
    return out
  }
}
