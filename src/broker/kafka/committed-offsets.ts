/**
 * Committed offsets of a group, never unstable ones: those of transactions that are still ending
 * are waited out.
 */

import { offsetFetchV8 } from '@platformatic/kafka'
import { BrokerError } from '../errors.ts'
import type { CommittedOffset, TopicPartition } from '../port.ts'
import type { Cluster } from './cluster.ts'
import { brokerErrorOf, kafkaCodes, kafkaFailure, noError } from './errors.ts'
import { call } from './protocol/call.ts'

export interface CommittedOffsetsQuestion {
  readonly groupId: string
  readonly partitions: readonly TopicPartition[]
}

const purpose = 'committed-offsets'
/** A transaction may stay open up to its time-out. */
const unstableTimeoutMs = 900_000

/** @throws {BrokerError} BROKER_UNAVAILABLE, BROKER_NOT_AUTHORIZED */
export const committedOffsets = async (
  cluster: Cluster,
  { groupId, partitions }: CommittedOffsetsQuestion,
): Promise<readonly CommittedOffset[]> => {
  if (partitions.length === 0) return []
  const doing = doingOf(groupId)
  const unstable = cluster.backoff({ timeoutMs: unstableTimeoutMs, firstMs: 2, mostMs: 50 })
  const backoff = cluster.backoff()
  for (;;) {
    const group = await ask(cluster, { groupId, partitions })
    const errorCode = errorCodeOf(group)
    if (errorCode === noError) return offsetsOf(group)
    const failure = brokerErrorOf(errorCode, doing)
    if (kafkaFailure(errorCode).handling === 'fail') throw failure
    await (errorCode === kafkaCodes.unstableOffsetCommit ? unstable : backoff).pause(failure)
  }
}

/**
 * Inputs whose offsets were not stable for half a second: others that commit are stable now and
 * then.
 *
 * @throws {BrokerError} BROKER_UNAVAILABLE, BROKER_NOT_AUTHORIZED
 */
export const unstableOffsets = async (
  cluster: Cluster,
  { groupId, partitions }: CommittedOffsetsQuestion,
): Promise<readonly TopicPartition[]> => {
  const backoff = cluster.backoff({ timeoutMs: Infinity, firstMs: 2, mostMs: 50 })
  let unstable = partitions
  for (let left = stableAsksMax; left > 0 && unstable.length > 0; left--) {
    if (left < stableAsksMax) await backoff.pause(undefined)
    const { topics } = await ask(cluster, { groupId, partitions: unstable })
    unstable = topics.flatMap(({ name: topic, partitions: answers }) =>
      answers
        .filter(({ errorCode }) => errorCode === kafkaCodes.unstableOffsetCommit)
        .map(({ partitionIndex: partition }) => ({ topic, partition })),
    )
  }
  return unstable
}

/** About half a second of pauses. */
const stableAsksMax = 15

const doingOf = (groupId: string): string => `committed offsets of group ${groupId}`

const ask = async (
  cluster: Cluster,
  { groupId, partitions }: CommittedOffsetsQuestion,
): Promise<Group> => {
  const question = {
    groupId,
    memberId: null,
    memberEpoch: -1,
    topics: [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, ofTopic]) => ({
      name,
      partitionIndexes: ofTopic.map(({ partition }) => partition),
    })),
  }
  const doing = doingOf(groupId)
  const { groups } = await cluster.askCoordinator({
    kind: 'group',
    key: groupId,
    purpose,
    doing,
    isRepeatable: true,
    request: (connection) => call(offsetFetchV8.api, connection, [question], true),
    errorCode: ({ groups: [group] }) => group?.errorCode ?? noError,
  })
  const group = groups[0]
  if (group === undefined) throw new BrokerError('BROKER_UNAVAILABLE', `${doing}: no answer`)
  return group
}

type Group = offsetFetchV8.OffsetFetchResponseGroup

const errorCodeOf = ({ errorCode, topics }: Group): number =>
  errorCode
  || (topics
    .flatMap(({ partitions }) => partitions)
    .find((partition) => partition.errorCode !== noError)?.errorCode
    ?? noError)

const offsetsOf = ({ topics }: Group): readonly CommittedOffset[] =>
  topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ committedOffset }) => committedOffset >= 0n)
      .map(({ partitionIndex, committedOffset, metadata }) => ({
        topic: name,
        partition: partitionIndex,
        offset: committedOffset,
        metadata: metadata ?? '',
      })),
  )
