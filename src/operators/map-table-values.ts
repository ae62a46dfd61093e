import { type TableStore, type Timestamped } from '../stores/table-store.ts'
import { currentScope } from '../topology/scope.ts'
import { DerivedTable } from './derived-table.ts'
import { type Table } from './table.ts'

/**
 * A table of the same keys with other values.
 *
 * Deletions are passed on as they are. A projection that returns `undefined` deletes the row.
 *
 * @param project  pure; gets values only, never a deletion; its throw fails the record
 * @param store    keeps the result; without it `project` is called again for each look-up
 * @returns        a table; it needs not be returned from the definition
 * @example        const names = mapTableValues(customers, ({ name }) => name)
 */
export const mapTableValues = <K, V, W>(
  source: Table<K, V>,
  project: (value: V, key: K) => W | undefined,
  store?: TableStore<K, W>,
): Table<K, W> => {
  const scope = currentScope('mapTableValues')
  const projected = (value: V | undefined, key: K): W | undefined =>
    value === undefined ? undefined : project(value, key)
  const rowOf = (row: Timestamped<V> | undefined, key: K): Timestamped<W> | undefined => {
    const value = projected(row?.value, key)
    return value === undefined ? undefined : { value, timestampMs: row!.timestampMs }
  }
  const derived = new DerivedTable<K, W>(scope, {
    kind: 'table-map-values',
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
  derived.out.listen(source.changes$, (record) => {
    const { key, value: change, timestampMs } = record
    const newValue = projected(change.newValue, key)
    const { wantsOld, kept } = derived
    const oldValue = !wantsOld
      ? undefined
      : kept === undefined
        ? projected(change.oldValue, key)
        : kept.row(key)?.value
    derived.update(record, { newValue, oldValue, timestampMs, isLatest: change.isLatest })
  })
  return derived.table
}
