import type { OperatorFunction } from 'rxjs'
import { TopologyError } from '../errors/classes.ts'
import type { StreamRecord } from '../record.ts'
import type { Topic } from '../topic.ts'
import { currentScope, type SinkSpec } from '../topology/scope.ts'

/**
 * Writes each record to one of several topics, chosen per record.
 *
 * The topics are named beforehand, so that the plan shows where records may go, and that all of
 * them exist is checked at start and not with the first record for one.
 *
 * @param topics   every topic that may be chosen; their types must accept the record's
 * @param topicOf  pure; returns one of them, or `undefined` to drop the record
 * @returns        a stream without values, to be returned by the definition
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID without topics; or per record, if `topicOf`
 *                         returns another handle: name it in `topics`
 * @example        alerts$.pipe(toDynamic([urgent, normal], ({ value }) =>
 *                   value.severity > 3 ? urgent : normal))
 */
export const toDynamic = <K, V>(
  topics: readonly Topic<K, V>[],
  topicOf: (record: StreamRecord<K, V>) => Topic<K, V> | undefined,
): OperatorFunction<StreamRecord<K, V>, never> => {
  const scope = currentScope('toDynamic')
  if (topics.length === 0) {
    throw new TopologyError('STREAMS_TOPOLOGY_INVALID', 'toDynamic() needs at least one topic')
  }
  return (source) => {
    const out = scope.node<never>({ kind: 'to-dynamic' })
    const sinks = new Map<Topic<K, V>, SinkSpec>()
    out.listen(source, (record) => {
      const topic = topicOf(record)
      if (topic === undefined) return
      const sink = sinks.get(topic)
      if (sink !== undefined) return scope.stage(sink, record)
      throw new TopologyError(
        'STREAMS_TOPOLOGY_INVALID',
        `node ${out.node.name} chose the topic ${topic.name}, which is not in its list`,
      )
    })
    for (const topic of topics) {
      const handle = topic as Topic<unknown, unknown>
      const stem = `to-${topic.name}`
      const { node } = scope.node<never>({ kind: 'to-chosen', role: 'sink', stem, topic: handle })
      scope.addEdge(out.node, node)
      sinks.set(topic, { nodeName: node.name, topic: handle, isInternal: false })
    }
    return out
  }
}
