import { type TableStore, type Timestamped } from '../stores/table-store.ts'
import { currentScope } from '../topology/scope.ts'
import { DerivedTable } from './derived-table.ts'
import { type Table } from './table.ts'

/**
 * The rows of a table for which the predicate holds.
 *
 * A row that stops to match is deleted from the result. Where the old values are known (the table
 * is kept, or the result is and somebody asks), a deletion is passed on only for a row that was
 * there; else for every update that does not match.
 *
 * @param predicate  pure; gets values only, never a deletion; its throw fails the record
 * @param store      keeps the result, to be queried or looked up without computing it
 * @returns          a table; it needs not be returned from the definition
 * @example          const open = filterTable(orders, ({ status }) => status === 'OPEN')
 */
export const filterTable = <K, V>(
  source: Table<K, V>,
  predicate: (value: V, key: K) => boolean,
  store?: TableStore<K, V>,
): Table<K, V> => {
  const scope = currentScope('filterTable')
  const passed = (value: V | undefined, key: K): V | undefined =>
    value !== undefined && predicate(value, key) ? value : undefined
  const rowOf = (row: Timestamped<V> | undefined, key: K): Timestamped<V> | undefined =>
    row !== undefined && predicate(row.value, key) ? row : undefined
  const derived = new DerivedTable<K, V>(scope, {
    kind: 'table-filter',
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
  derived.wantsOld = source.demandOldValues()
  derived.out.listen(source.changes$, (record) => {
    const { key, value: change, timestampMs } = record
    const newValue = passed(change.newValue, key)
    const { wantsOld, kept } = derived
    const oldValue = !wantsOld
      ? undefined
      : kept === undefined
        ? passed(change.oldValue, key)
        : kept.row(key)?.value
    if (wantsOld && newValue === undefined && oldValue === undefined) return
    derived.update(record, { newValue, oldValue, timestampMs, isLatest: change.isLatest })
  })
  return derived.table
}
