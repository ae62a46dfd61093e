import type { OperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import { currentScope } from '../topology/scope.ts'
import type { GlobalTable } from './global-table.ts'
import { joinStreamWithGlobal } from './stream-global-join.ts'

/**
 * As `joinGlobal`, but no record is lost: one that names no row is joined with `undefined`.
 *
 * @param keyOf   pure; the table's key for this record, `undefined` for none
 * @param joiner  pure; gets the row as it has been read by then, or `undefined`
 * @returns       one record per record with a value, key, time and headers unchanged
 * @example       orders$.pipe(leftJoinGlobal(vips, ({ user }) => user, withVip))
 */
export const leftJoinGlobal = <K, A, FK, B, W>(
  table: GlobalTable<FK, B>,
  keyOf: (value: A, key: K) => FK | undefined,
  joiner: (left: A, right: B | undefined, key: K) => W,
): OperatorFunction<StreamRecord<K, A | undefined>, StreamRecord<K, W>> => {
  const scope = currentScope('leftJoinGlobal')
  return (source) =>
    joinStreamWithGlobal<K, A, FK, B, W>(scope, source, {
      kind: 'left-join-global',
      table,
      keyOf,
      join: (left, right, key) => joiner(left, right, key),
    })
}
