/**
 * The body of `joinTable` and `leftJoinTable`: a look-up per record, at once or after waiting.
 *
 * 1. A record without a value is dropped and counted; one without a key too, unless the join keeps
 * its left side: then it is joined with nothing, at once. 2. A versioned table is read as of the
 * record's time. 3. With a waiting store the record is joined when it is released, with its own
 * time and headers; only records of the stream release.
 */

import type { Observable } from 'rxjs'
import { TopologyError } from '../errors/classes.ts'
import { StreamRecord } from '../record.ts'
import type { WaitingRecord, WaitingStore } from '../stores/waiting-store.ts'
import type { HotStream } from '../topology/hot-stream.ts'
import { prefetchByKey } from '../topology/prefetch.ts'
import type { Scope } from '../topology/scope.ts'
import type { Table } from './table.ts'

export interface StreamTableJoin<K, A, B, W> {
  readonly kind: 'join-table' | 'left-join-table'
  readonly table: Table<K, B>
  readonly waiting: WaitingStore<K, A> | undefined
  /** Without a partner called only by a left join. */
  join(left: A, right: B | undefined, key: K): W
}

export const joinStreamWithTable = <K, A, B, W>(
  scope: Scope,
  source: Observable<StreamRecord<K, A | undefined>>,
  { kind, table, waiting, join }: StreamTableJoin<K, A, B, W>,
): HotStream<StreamRecord<K, W>> => {
  const isLeft = kind === 'left-join-table'
  const stores = waiting === undefined ? table.stores : [...table.stores, waiting]
  const out = scope.node<StreamRecord<K, W>>({
    kind,
    stores,
    ...(waiting && { name: waiting.name }),
  })
  const { node } = out
  const view = table.view(node)
  const look = table.isVersioned
    ? (key: K, asOfMs: number) => view.rowAsOf(key, asOfMs)?.value
    : (key: K) => view.row(key)?.value
  const buffer = waiting === undefined ? undefined : scope.open(node, waiting)
  if (waiting !== undefined) checkVersioned(table, waiting.name)
  const joinNow = ({ key, value, timestampMs, headers }: WaitingRecord<K, A>): void => {
    const right = look(key, timestampMs)
    if (right === undefined && !isLeft) return
    out.emit(new StreamRecord(key, join(value, right, key), timestampMs, headers))
  }
  scope.addPrefetch(prefetchByKey(node, view))
  out.listen(source, (record) => {
    const { key, value } = record
    if (value === undefined) return scope.countDropped(node.name, 'nullValue')
    const present = record as StreamRecord<K, A>
    if (key === undefined) {
      if (!isLeft) return scope.countDropped(node.name, 'nullKey')
      return out.emit(record.withValue(join(present.value, undefined, key)))
    }
    if (buffer === undefined || !buffer.add(present)) return joinNow(present)
    for (const released of buffer.release()) joinNow(released)
  })
  return out
}

const checkVersioned = <K, B>({ name, isVersioned }: Table<K, B>, waitingName: string): void => {
  if (isVersioned) return
  throw new TopologyError(
    'STREAMS_TOPOLOGY_INVALID',
    `the join ${waitingName} waits for late updates of the table ${name}, which keeps no `
      + 'history: give the table a versionedStore()',
  )
}
