import type { MonoTypeOperatorFunction } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import { currentScope } from '../topology/scope.ts'

/**
 * Shows each record to a function and passes it on: for logs and metrics.
 *
 * It runs before the commit, so a record that is processed again is shown again; nothing that must
 * happen once belongs here (use `to` or `effect`).
 *
 * @param look  synchronous; its throw fails the record
 * @returns     the same record objects
 * @example     orders$.pipe(peek(({ key }) => log.debug({ key }, 'order')))
 */
export const peek = <K, V>(
  look: (record: StreamRecord<K, V>) => void,
): MonoTypeOperatorFunction<StreamRecord<K, V>> => {
  const scope = currentScope('peek')
  return (source) => {
    const out = scope.node<StreamRecord<K, V>>({ kind: 'peek' })
    out.listen(source, (record) => {
      look(record)
      out.emit(record)
    })
    return out
  }
}
