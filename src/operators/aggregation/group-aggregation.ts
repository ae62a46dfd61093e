/**
 * Aggregates of the groups of a table: what was added is taken back when its row changes.
 *
 * Called by `aggregateGroups`, `countGroups` and `reduceGroups`. 1. The old value leaves before the
 * new one enters, and one record is emitted. 2. Nothing is taken out of a group that has no
 * aggregate. 3. The result carries the highest timestamp that went into it.
 */

import type { OperatorFunction } from 'rxjs'
import { StreamRecord } from '../../record.ts'
import type { Replacement } from '../../serde/replacement.ts'
import type { TableStore } from '../../stores/table-store.ts'
import { prefetchByKey } from '../../topology/prefetch.ts'
import { currentScope } from '../../topology/scope.ts'

export interface GroupFold<K, V, A> {
  /** @param aggregate  `undefined`: the group has none yet */
  add(aggregate: A | undefined, value: V, key: K): A | undefined
  subtract(aggregate: A, value: V, key: K): A | undefined
}

export type GroupOperator<K, V, A> = OperatorFunction<
  StreamRecord<K, Replacement<V>>,
  StreamRecord<K, A | undefined>
>

export const groupAggregation = <K, V, A>(
  operator: string,
  store: TableStore<K, A>,
  { add, subtract }: GroupFold<K, V, A>,
): GroupOperator<K, V, A> => {
  const scope = currentScope(operator)
  const { name } = store
  return (source) => {
    const kind = operator.replace('Groups', '-groups')
    const out = scope.node<StreamRecord<K, A | undefined>>({ kind, name, stores: [store] })
    const rows = scope.open(out.node, store)
    scope.addPrefetch(prefetchByKey(out.node, rows))
    out.listen(source, ({ key, value: { oldValue, newValue }, timestampMs, headers }) => {
      if (key === undefined) return scope.countDropped(name, 'nullKey')
      const stored = rows.row(key)
      let aggregate = stored?.value
      if (oldValue !== undefined && aggregate !== undefined) {
        aggregate = subtract(aggregate, oldValue, key)
      }
      if (newValue !== undefined) aggregate = add(aggregate, newValue, key)
      const updatedMs = Math.max(timestampMs, stored?.timestampMs ?? timestampMs)
      rows.put(key, aggregate, updatedMs)
      out.emit(new StreamRecord(key, aggregate, updatedMs, headers))
    })
    return out
  }
}
