import type { Observable } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import { currentScope } from '../topology/scope.ts'

/**
 * Replaces the value of each record; key, timestamp and headers stay.
 *
 * RxJS's `map` is as safe inside `pipe` here, but costs twice as much and may emit anything. The
 * key type belongs to the returned function, so that a fragment made outside of `pipe` fits
 * streams of any key: `const net = () => mapValues(({ cents }: Order) => cents)`.
 *
 * @param project  pure and synchronous; its throw fails the record
 * @returns        one record per record, key unchanged
 * @example        orders$.pipe(mapValues(({ totalCents }) => totalCents))
 */
export const mapValues = <V, W>(project: (value: V) => W) => {
  const scope = currentScope('mapValues')
  return <K>(source: Observable<StreamRecord<K, V>>): Observable<StreamRecord<K, W>> => {
    const out = scope.node<StreamRecord<K, W>>({ kind: 'map-values' })
    out.listen(source, (record) => out.emit(record.withValue(project(record.value))))
    return out
  }
}
