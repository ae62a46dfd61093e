import type { Observable } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import { currentScope } from '../topology/scope.ts'
import { keepTable, passChanges } from './keep-table.ts'
import type { AnyTableStore, Table } from './table.ts'

/**
 * Reads a stream as the changes of a table: the latest value per key, `undefined` deletes.
 *
 * Records without a key are dropped and counted. A late record overwrites, unless the store is
 * versioned. A function of the stream, not for `pipe`: what it returns is no stream.
 *
 * @param source  under the key it is partitioned by: after `mapRecord` put `repartitionBy` first
 * @param store   named by the caller; without one the table can be filtered, mapped and streamed,
 *                but not looked up
 * @returns       a handle for joins and table operators; it needs not be returned
 * @example       const latest = toTable(stream(prices), latestPrices)
 */
export const toTable = <K, V>(
  source: Observable<StreamRecord<K, V | undefined>>,
  store?: AnyTableStore<K, V>,
): Table<K, V> => {
  const scope = currentScope('toTable')
  return store === undefined ? passChanges(scope, source) : keepTable(scope, source, store)
}
