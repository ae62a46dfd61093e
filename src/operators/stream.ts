import type { Observable } from 'rxjs'
import type { StreamRecord } from '../record.ts'
import { isInternalTopic, type Topic } from '../topic.ts'
import { currentScope } from '../topology/scope.ts'

/**
 * Reads a topic: the start of every pipeline.
 *
 * One node per topic and topology: keep the result in a variable to use it twice. It never
 * completes and never emits while the topology is built. Null bytes fail the record unless the
 * value's serde is `nullable`.
 *
 * @param topic  name and serdes; its partitions decide the number of tasks. A repartition topic is
 *               fed by `to`, from anywhere in the topology
 * @returns      every record of the task's partition, in timestamp order across its inputs
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID if the topic is read already: share the stream
 * @example      const orders$ = stream(orders)
 */
export const stream = <K, V>(topic: Topic<K, V>): Observable<StreamRecord<K, V>> =>
  currentScope('stream').node({
    kind: 'stream',
    role: 'source',
    name: topic.name,
    topic,
    isInternal: isInternalTopic(topic),
  })
