import type { TableStore } from '../stores/table-store.ts'
import { currentScope } from '../topology/scope.ts'
import { projectTable } from './project-table.ts'
import type { Table } from './table.ts'

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
  return projectTable(scope, source, {
    kind: 'table-map-values',
    store,
    project,
    sparesDeletions: false,
  })
}
