/**
 * The body of `joinWithin`, `leftJoinWithin` and `outerJoinWithin`.
 *
 * For each record: rows that are over are reported, then the record is stored and joined with what
 * it meets. 1. A record without a value is dropped and counted. 2. One without a key too, unless
 * the join keeps its side: then it is reported at once, without a key, since nothing can ever meet
 * it. 3. What is reported carries the time of its row, a pair the later time of both; the headers
 * are those of the record that caused it.
 */

import type { Observable } from 'rxjs'
import { StreamRecord } from '../record.ts'
import type { JoinMoment, JoinState } from '../stores/join-state.ts'
import type { JoinStore } from '../stores/join-store.ts'
import type { Side } from '../stores/join-window.ts'
import type { HotStream } from '../topology/hot-stream.ts'
import type { Scope } from '../topology/scope.ts'

export interface StreamStreamJoin<K, A, B, W> {
  readonly kind: 'join-within' | 'left-join-within' | 'outer-join-within'
  readonly left: Observable<StreamRecord<K, A | undefined>>
  readonly right: Observable<StreamRecord<K, B | undefined>>
  readonly store: JoinStore<K, A, B>
  /** Without a side only where the join keeps the other. */
  join(left: A | undefined, right: B | undefined, key: K): W
}

export const joinTwoStreams = <K, A, B, W>(
  scope: Scope,
  { kind, left, right, store, join }: StreamStreamJoin<K, A, B, W>,
): HotStream<StreamRecord<K, W>> => {
  const { name } = store
  const out = scope.node<StreamRecord<K, W>>({ kind, name, stores: [store] })
  const rows = scope.open(out.node, store)
  const joined = (side: Side, own: unknown, other: unknown, key: K): W =>
    side === 'left'
      ? join(own as A, other as B | undefined, key)
      : join(other as A | undefined, own as B, key)
  const process = (side: Side, isKept: boolean, record: StreamRecord<K, unknown>): void => {
    const { key, value, timestampMs, headers } = record
    if (value === undefined) return scope.countDropped(name, 'nullValue')
    if (key === undefined) {
      if (!isKept) return scope.countDropped(name, 'nullKey')
      return out.emit(record.withValue(joined(side, value, undefined, key)))
    }
    const moment = new Moment(timestampMs, scope)
    for (const alone of rows.expire(side, moment)) {
      const { row } = alone
      const reported = joined(alone.side, row.value, undefined, alone.key)
      out.emit(new StreamRecord(alone.key, reported, row.timestampMs, headers))
    }
    if (rows.isLate(side, moment)) return scope.countDropped(name, 'late')
    for (const partner of rows.add({ side, key, value, isKept }, moment)) {
      const pairMs = Math.max(timestampMs, partner.timestampMs)
      out.emit(new StreamRecord(key, joined(side, value, partner.value, key), pairMs, headers))
    }
    if (rows.isAlone) out.emit(record.withValue(joined(side, value, undefined, key)))
  }
  const keepsLeft = kind !== 'join-within'
  const keepsRight = kind === 'outer-join-within'
  out.listen(left, (record) => process('left', keepsLeft, record))
  out.listen(right, (record) => process('right', keepsRight, record))
  prefetchRows(out, rows)
  return out
}

/** Only joins that take late records ask for the wall clock's time: a call into the system. */
class Moment implements JoinMoment {
  readonly timestampMs: number
  readonly streamTimeMs: number
  readonly #scope: Scope

  constructor(timestampMs: number, scope: Scope) {
    this.timestampMs = timestampMs
    this.streamTimeMs = scope.streamTimeMs()
    this.#scope = scope
  }

  get nowMs(): number {
    return this.#scope.nowMs()
  }
}

/** Times of records that do not fit a slot fail with the record, not here. */
const prefetchRows = <K>(
  { node, scope }: HotStream<unknown>,
  rows: Pick<JoinState<K>, 'prefetch'>,
): void => {
  const run = (records: readonly StreamRecord<unknown, unknown>[]): void =>
    rows.prefetch(
      (records as readonly StreamRecord<K, unknown>[]).filter(({ key }) => key !== undefined),
    )
  scope.addPrefetch({ node, reads: 'key', run })
}
