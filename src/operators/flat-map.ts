import type { OperatorFunction } from 'rxjs'
import { StreamRecord } from '../record.ts'
import { currentScope } from '../topology/scope.ts'

/**
 * Replaces each record by any number of pairs of key and value; timestamp and headers stay.
 *
 * The new records still lie in the partition of the old key: a node with a store must not see them
 * before `repartitionBy`, which is checked when the topology is built. Where the key stays use
 * `flatMapValues`.
 *
 * @param project  pure and synchronous; returns or yields pairs, none drops the record
 * @returns        one record per pair, in the order of the iterable
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID if state follows without `repartitionBy`
 * @example        lines$.pipe(flatMap(({ value }) => value.split(' ').map((word) => [word, 1])))
 */
export const flatMap = <K, V, K2, W>(
  project: (record: StreamRecord<K, V>) => Iterable<readonly [K2, W]>,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K2, W>> => {
  const scope = currentScope('flatMap')
  return (source) => {
    const out = scope.node<StreamRecord<K2, W>>({ kind: 'flat-map', changesKey: true })
    out.listen(source, (record) => {
      const { timestampMs, headers } = record
      for (const [key, value] of project(record)) {
        out.emit(new StreamRecord(key, value, timestampMs, headers))
      }
    })
    return out
  }
}
