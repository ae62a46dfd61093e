/** The body of `joinGlobal` and `leftJoinGlobal`: a look-up per record under a key of its own. */

import type { Observable } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import type { HotStream } from '../topology/hot-stream.ts'
import type { Scope } from '../topology/scope.ts'
import type { GlobalTable } from './global-table.ts'

export interface StreamGlobalJoin<K, A, FK, B, W> {
  readonly kind: 'join-global' | 'left-join-global'
  readonly table: GlobalTable<FK, B>
  /** `undefined`: the record names no row. */
  keyOf(value: A, key: K): FK | undefined
  /** Without a row called only by a left join. */
  join(left: A, right: B | undefined, key: K): W
}

export const joinStreamWithGlobal = <K, A, FK, B, W>(
  scope: Scope,
  source: Observable<StreamRecord<K, A | undefined>>,
  { kind, table, keyOf, join }: StreamGlobalJoin<K, A, FK, B, W>,
): HotStream<StreamRecord<K, W>> => {
  const out = scope.node<StreamRecord<K, W>>({ kind, globals: [table.topic.name] })
  const { name } = out.node
  const rows = scope.openGlobal(out.node, table.topic)
  out.listen(source, (record) => {
    const { key, value } = record
    if (value === undefined) return scope.countDropped(name, 'nullValue')
    const wanted = keyOf(value, key)
    const right = wanted === undefined ? undefined : rows.row(wanted)?.value
    if (right === undefined && kind === 'join-global') return
    out.emit(record.withValue(join(value, right, key)))
  })
  return out
}
