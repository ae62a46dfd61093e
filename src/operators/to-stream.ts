import type { Observable } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import { currentScope } from '../topology/scope.ts'
import type { Table } from './table.ts'

/**
 * The changes of a table as a stream: the new value per change, `undefined` for a deletion.
 *
 * To write it to a topic, give that topic a `nullable` value serde.
 *
 * @returns  a record per change, with the time of the table's row
 * @example  toStream(joined).pipe(to(joinedTopic))
 */
export const toStream = <K, V>(table: Table<K, V>): Observable<StreamRecord<K, V | undefined>> => {
  const out = currentScope('toStream').node<StreamRecord<K, V | undefined>>({ kind: 'to-stream' })
  out.listen(table.changes$, (record) => out.emit(record.withValue(record.value.newValue)))
  return out
}
