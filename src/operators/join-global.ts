import type { OperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import { currentScope } from '../topology/scope.ts'
import type { GlobalTable } from './global-table.ts'
import { joinStreamWithGlobal } from './stream-global-join.ts'

/**
 * Looks each record up in a global table, under a key found in the record itself.
 *
 * A record that names no row is dropped. The record's own key does not matter, it may be missing; a
 * record without a value is dropped and counted. Changes of the table emit nothing.
 *
 * @param keyOf   pure; the table's key for this record, `undefined` for none
 * @param joiner  pure; gets the row as it has been read by then
 * @returns       at most one record per record, key, time and headers unchanged
 * @example       payments$.pipe(joinGlobal(rates, ({ currency }) => currency, inEuro))
 */
export const joinGlobal = <K, A, FK, B, W>(
  table: GlobalTable<FK, B>,
  keyOf: (value: A, key: K) => FK | undefined,
  joiner: (left: A, right: B, key: K) => W,
): OperatorFunction<StreamRecord<K, A | undefined>, StreamRecord<K, W>> => {
  const scope = currentScope('joinGlobal')
  return (source) =>
    joinStreamWithGlobal<K, A, FK, B, W>(scope, source, {
      kind: 'join-global',
      table,
      keyOf,
      join: (left, right, key) => joiner(left, right as B, key),
    })
}
