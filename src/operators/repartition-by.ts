import type { OperatorFunction } from 'rxjs'
import { StreamRecord } from '../record.ts'
import type { RepartitionTopic } from '../topic.ts'
import { currentScope, type SinkSpec } from '../topology/scope.ts'

/**
 * Gives each record a new key: the only way to change one and go on.
 *
 * Two nodes without an edge between them: a sink of this sub-topology and the source of the next.
 * One definition yields both tasks; in a task of one side the other side never receives. Value,
 * timestamp and headers stay (Kafka Streams' selectKey + repartition in one).
 *
 * @param through  internal topic: stable name, key serde of the new key, value serde
 * @param keyOf    pure; its throw fails the record
 * @returns        the records as read back from the internal topic, in the next sub-topology
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID if the topic is used twice: merge before it
 * @example        orders$.pipe(repartitionBy(byCustomer, ({ value }) => value.customerId))
 */
export const repartitionBy = <K, V, K2>(
  through: RepartitionTopic<K2, V>,
  keyOf: (record: StreamRecord<K, V>) => K2,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K2, V>> => {
  const scope = currentScope('repartitionBy')
  const name = `${through.name}-repartition`
  const spec = { kind: 'repartition', topic: through, isInternal: true } as const
  return (source) => {
    const out = scope.node<never>({ ...spec, role: 'sink', name: `to-${name}` })
    const sink: SinkSpec = { nodeName: out.node.name, topic: through, isInternal: true }
    out.listen(source, (record) => {
      const { value, timestampMs, headers } = record
      scope.stage(sink, new StreamRecord(keyOf(record), value, timestampMs, headers))
    })
    return scope.node<StreamRecord<K2, V>>({ ...spec, role: 'source', name })
  }
}
