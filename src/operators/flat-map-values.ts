import type { Observable } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import { currentScope } from '../topology/scope.ts'

/**
 * Replaces each value by any number of values; key, timestamp and headers stay.
 *
 * @param project  pure and synchronous; returns or yields the values, none drops the record
 * @returns        one record per value, in the order of the iterable, key unchanged
 * @example        lines$.pipe(flatMapValues((line) => line.split(' ')))
 */
export const flatMapValues = <V, W>(project: (value: V) => Iterable<W>) => {
  const scope = currentScope('flatMapValues')
  return <K>(source: Observable<StreamRecord<K, V>>): Observable<StreamRecord<K, W>> => {
    const out = scope.node<StreamRecord<K, W>>({ kind: 'flat-map-values' })
    out.listen(source, (record) => {
      for (const value of project(record.value)) out.emit(record.withValue(value))
    })
    return out
  }
}
