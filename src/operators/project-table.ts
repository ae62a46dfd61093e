/** What a filter and a mapping of a table share: each row is a function of the row before. */

import type { TableStore, Timestamped } from '../stores/table-store.ts'
import type { Scope } from '../topology/scope.ts'
import { DerivedTable, type DerivedTableSpec } from './derived-table.ts'
import type { Table } from './table.ts'

export interface Projection<K, V, W> {
  readonly kind: DerivedTableSpec<K, W>['kind']
  readonly store: TableStore<K, W> | undefined
  /** Pure; `undefined` deletes the row. */
  project(value: V, key: K): W | undefined
  /**
   * Asks for old values from the start, and passes no deletion on of a row that was not there,
   * where that can be told.
   */
  readonly sparesDeletions: boolean
}

export const projectTable = <K, V, W>(
  scope: Scope,
  source: Table<K, V>,
  { kind, store, project, sparesDeletions }: Projection<K, V, W>,
): Table<K, W> => {
  const projected = (value: V | undefined, key: K): W | undefined =>
    value === undefined ? undefined : project(value, key)
  const rowOf = (row: Timestamped<V> | undefined, key: K): Timestamped<W> | undefined => {
    const value = projected(row?.value, key)
    return value === undefined ? undefined : { value, timestampMs: row!.timestampMs }
  }
  const derived = new DerivedTable<K, W>(scope, {
    kind,
    store,
    reads: [],
    sources: source.stores,
    isVersioned: source.isVersioned,
    computedView: (node) => {
      const view = source.view(node)
      return {
        row: (key) => rowOf(view.row(key), key),
        rowAsOf: (key, asOfMs) => rowOf(view.rowAsOf(key, asOfMs), key),
        prefetch: (keys) => view.prefetch(keys),
      }
    },
    demandOldValues: () => source.demandOldValues(),
  })
  if (sparesDeletions) derived.wantsOld = source.demandOldValues()
  derived.out.listen(source.changes$, (record) => {
    const { key, value: change, timestampMs } = record
    const newValue = projected(change.newValue, key)
    const { wantsOld, kept } = derived
    const oldValue = !wantsOld
      ? undefined
      : kept === undefined
        ? projected(change.oldValue, key)
        : kept.row(key)?.value
    const isMissing = newValue === undefined && oldValue === undefined
    if (sparesDeletions && wantsOld && isMissing) return
    derived.update(record, { newValue, oldValue, timestampMs, isLatest: change.isLatest })
  })
  return derived.table
}
