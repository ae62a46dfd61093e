/**
 * Notices that a changelog was deleted and made again under its name: rows of the old one are gone.
 *
 * Asked by the task manager when tasks open, and by the committer before a transaction ends: what
 * is produced goes by name, so that the broker takes it. A store whose changelog lacks rows would
 * be restored wrongly ever after, so the instance stops, with nothing committed or wiped.
 */

import type { Broker, ProducedBatch } from '../broker/port.ts'
import { RuntimeError } from '../errors/classes.ts'
import type { ChangelogHead } from '../task/changelog-head.ts'
import type { Generation } from './generation.ts'

/** @throws {RuntimeError} STREAMS_STATE_MISMATCH: what was appended lies before what is applied */
export const refuseRewound = ({ tasks }: Generation, produced: readonly ProducedBatch[]): void => {
  const heads = tasks.flatMap(({ stores }) => stores.map(({ head }) => head))
  for (const head of heads) {
    const { topic, partition } = head.identity
    const { offset } = head
    if (offset === undefined) continue
    const end = produced.find((batch) => batch.topic === topic && batch.partition === partition)
    if (end !== undefined && end.baseOffset < offset) throw remade(head.identity)
  }
}

/** @throws {RuntimeError} STREAMS_STATE_MISMATCH: a topic has another id than at the start */
export const refuseRemade = async (
  broker: Broker,
  heads: readonly ChangelogHead[],
): Promise<void> => {
  const names = new Set(heads.map(({ identity }) => identity.topic))
  const described = await broker.topics.describe([...names])
  for (const { identity } of heads) {
    if (described.get(identity.topic)?.topicId !== identity.topicId) throw remade(identity)
  }
}

const remade = ({ topic, topicId }: ChangelogHead['identity']): RuntimeError =>
  new RuntimeError(
    'STREAMS_STATE_MISMATCH',
    `changelog topic ${topic} (id ${topicId}) was deleted and made anew, or lost records, while `
      + 'the application ran: the local state holds rows that it lacks. Stop all instances; then '
      + 'bring the topic back, or choose a new application id, which rebuilds its state',
  )
