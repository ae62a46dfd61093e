import type { TableStore } from '../stores/table-store.ts'
import { currentScope } from '../topology/scope.ts'
import { projectTable } from './project-table.ts'
import type { Table } from './table.ts'

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
  const project = (value: V, key: K): V | undefined => (predicate(value, key) ? value : undefined)
  return projectTable(scope, source, {
    kind: 'table-filter',
    store,
    project,
    sparesDeletions: true,
  })
}
