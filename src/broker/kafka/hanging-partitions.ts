/**
 * Partitions in which a transaction of a producer is still open, as their leaders see it.
 *
 * Asked by `KafkaTransactionalProducer` right after `init`, when the coordinator has ended
 * everything: what is open then was forgotten by the brokers, and would hold up readers for ever.
 * Partitions whose producers this client may not see are left out.
 */

import { describeProducersV0 } from '@platformatic/kafka'
import { type TopicPartition } from '../port.ts'
import { type Cluster } from './cluster.ts'
import { type BrokerNode } from './connections.ts'
import { brokerErrorOf, kafkaFailure, noError } from './errors.ts'
import { call } from './protocol/call.ts'

const purpose = 'producers'

/** @throws {BrokerError} BROKER_UNAVAILABLE, BROKER_UNKNOWN_TOPIC */
export const hangingPartitions = async (
  cluster: Cluster,
  producerId: bigint,
  partitions: readonly TopicPartition[],
): Promise<readonly TopicPartition[]> => {
  const backoff = cluster.backoff()
  const hanging: TopicPartition[] = []
  let unasked = partitions
  while (unasked.length > 0) {
    const again: TopicPartition[] = []
    let failure: unknown
    for (const [node, ofLeader] of await byLeader(cluster, unasked)) {
      try {
        const { topics } = await ask(cluster, node, ofLeader)
        for (const { name, partitions: answers } of topics) {
          for (const { partitionIndex: partition, errorCode, activeProducers } of answers) {
            const isOpen = activeProducers.some(
              (producer) =>
                producer.producerId === producerId && producer.currentTxnStartOffset >= 0n,
            )
            if (isOpen) hanging.push({ topic: name, partition })
            if (errorCode === noError || kafkaFailure(errorCode).handling === 'fail') continue
            again.push({ topic: name, partition })
            failure = brokerErrorOf(errorCode, `producers of ${name}-${partition}`)
          }
        }
      } catch (error) {
        again.push(...ofLeader)
        failure = error
      }
    }
    if (again.length > 0) {
      for (const { topic } of again) cluster.forgetTopic(topic)
      await backoff.pause(failure)
    }
    unasked = again
  }
  return hanging
}

const ask = async (cluster: Cluster, node: BrokerNode, partitions: readonly TopicPartition[]) => {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic)
  const topics = [...byTopic].map(([name, ofTopic]) => ({
    name,
    partitionIndexes: ofTopic.map(({ partition }) => partition),
  }))
  return call(describeProducersV0.api, await cluster.connections.get(purpose, node), topics)
}

const byLeader = async (
  cluster: Cluster,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<BrokerNode, readonly TopicPartition[]>> => {
  const leaders = new Map<TopicPartition, BrokerNode>()
  const nodes = new Map<string, BrokerNode>()
  for (const partition of partitions) {
    const { node } = await cluster.leader(partition)
    const name = `${node.host}:${node.port}`
    if (!nodes.has(name)) nodes.set(name, node)
    leaders.set(partition, nodes.get(name)!)
  }
  return Map.groupBy(partitions, (partition) => leaders.get(partition)!)
}
