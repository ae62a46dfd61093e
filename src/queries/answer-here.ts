/**
 * Answers a question about a partition from this instance's own open task, or says why not.
 *
 * Asked by the router of this instance and, over the network, by those of others. It never asks
 * anybody else, so no question can go round in circles.
 */

import type { InstanceView } from '../runtime/instance-view.ts'
import type { PartitionQuestion, PartitionReply } from './partition-read.ts'
import { readRows } from './read-rows.ts'

/** @throws {RuntimeError} STREAMS_CONFIG: there is no such store, or it takes no such read */
export const answerHere = (
  view: InstanceView,
  { store: name, partition, generationId, read }: PartitionQuestion,
): PartitionReply => {
  const store = view.store(name)
  const { instanceId: owner } = view
  if (view.generationId < generationId) return { notHere: `${owner} has not joined again yet` }
  const open = view.open(store, partition)
  if (open === undefined) return { notHere: `${owner} does not have it open` }
  const { reader, offsets, appliedAtMs } = open
  const rows = readRows({ store, reader, partition }, read)
  return { answer: { partition, owner, role: 'active', offsets, appliedAtMs, rows } }
}
