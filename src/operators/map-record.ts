import type { OperatorFunction } from 'rxjs'
import { StreamRecord } from '../record.ts'
import { currentScope } from '../topology/scope.ts'

/**
 * Replaces key and value of each record; timestamp and headers stay.
 *
 * As with `flatMap`, a node with a store must not see the new records before `repartitionBy`. Where
 * the key stays use `mapValues`; where only the key changes `repartitionBy` is enough.
 *
 * @param project  pure and synchronous; its throw fails the record
 * @returns        one record per record
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID if state follows without `repartitionBy`
 * @example        orders$.pipe(mapRecord(({ key, value }) => [value.customerId, key]), to(byOwner))
 */
export const mapRecord = <K, V, K2, W>(
  project: (record: StreamRecord<K, V>) => readonly [K2, W],
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K2, W>> => {
  const scope = currentScope('mapRecord')
  return (source) => {
    const out = scope.node<StreamRecord<K2, W>>({ kind: 'map-record', changesKey: true })
    out.listen(source, (record) => {
      const [key, value] = project(record)
      out.emit(new StreamRecord(key, value, record.timestampMs, record.headers))
    })
    return out
  }
}
