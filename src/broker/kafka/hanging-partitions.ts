/**
 * Partitions in which a transaction of a producer is still open, as their leaders see it.
 *
 * Asked by `KafkaTransactionalProducer` right after `init`, when the coordinator has ended
 * everything: what is open then was forgotten by the brokers, and would hold up readers for ever.
 * The epoch tells which transaction it was. Partitions whose producers this client may not see are
 * left out.
 */

import { describeProducersV0 } from '@platformatic/kafka'
import type { BrokerError } from '../errors.ts'
import type { TopicPartition } from '../port.ts'
import type { Cluster } from './cluster.ts'
import type { BrokerNode } from './connections.ts'
import { brokerErrorOf, connectionErrorOf, kafkaFailure, noError } from './errors.ts'
import { call } from './protocol/call.ts'

const purpose = 'producers'

export interface HangingPartition extends TopicPartition {
  /** Of the last records of the open transaction. */
  readonly epoch: number
}

/** @throws {BrokerError} BROKER_UNAVAILABLE, BROKER_UNKNOWN_TOPIC */
export const hangingPartitions = async (
  cluster: Cluster,
  producerId: bigint,
  partitions: readonly TopicPartition[],
): Promise<readonly HangingPartition[]> => {
  const backoff = cluster.backoff()
  const hanging: HangingPartition[] = []
  let unasked = partitions
  while (unasked.length > 0) {
    const asking = [...(await byLeader(cluster, unasked))]
    const answers = await Promise.all(
      asking.map(([node, ofLeader]) => look(cluster, node, ofLeader)),
    )
    const seen = answers.flat()
    for (const { open, topic, partition } of seen) {
      const epoch = open.get(producerId)
      if (epoch !== undefined) hanging.push({ topic, partition, epoch })
    }
    unasked = seen.filter(({ failure }) => failure !== undefined).map(placeOf)
    for (const { topic } of unasked) cluster.forgetTopic(topic)
    if (unasked.length > 0) await backoff.pause(seen.find(({ failure }) => failure)!.failure)
  }
  return hanging
}

interface Seen extends TopicPartition {
  /** Producers with an open transaction, and their epochs. */
  readonly open: ReadonlyMap<bigint, number>
  /** To be asked again: the leader moved, or was not reached. */
  readonly failure?: BrokerError | undefined
}

const look = async (
  cluster: Cluster,
  node: BrokerNode,
  partitions: readonly TopicPartition[],
): Promise<readonly Seen[]> => {
  try {
    const { topics } = await ask(cluster, node, partitions)
    return topics.flatMap(({ name, partitions: answers }) =>
      answers.map((answer) => seenIn(name, answer)),
    )
  } catch (error) {
    const failure = connectionErrorOf(error, 'producers of partitions')
    if (failure.action !== 'retry') throw failure
    return partitions.map((partition) => ({ ...partition, open: new Map(), failure }))
  }
}

const seenIn = (topic: string, { partitionIndex, errorCode, activeProducers }: Answer): Seen => {
  const isToRepeat = errorCode !== noError && kafkaFailure(errorCode).handling !== 'fail'
  const open = activeProducers.filter(({ currentTxnStartOffset }) => currentTxnStartOffset >= 0n)
  return {
    topic,
    partition: partitionIndex,
    open: new Map(open.map(({ producerId, producerEpoch }) => [producerId, producerEpoch])),
    failure: isToRepeat
      ? brokerErrorOf(errorCode, `producers of ${topic}-${partitionIndex}`)
      : undefined,
  }
}

const placeOf = ({ topic, partition }: TopicPartition): TopicPartition => ({ topic, partition })

type Answer = describeProducersV0.DescribeProducersResponsePartition

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
