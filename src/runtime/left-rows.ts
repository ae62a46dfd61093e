/**
 * Rows in a state directory that lie where no task of the topology would look for them.
 *
 * Called at start, before a task opens. Rows lie under the id of their task, so they are left
 * behind when a store goes, and also when an edit gives its sub-topology another number: then the
 * position must go too, or the store would resume over no rows. Doing it again does no harm.
 */

import type { Engine } from '../../state/engine.ts'
import { namespacePrefix, positionKey, prefixEnd } from '../../state/key-layout.ts'
import { type Namespace, namespacesOf } from '../../state/namespaces.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import type { Plan } from '../topology/graph.ts'
import { changelogTopicName } from './internal-names.ts'

export interface LeftRowsOptions {
  readonly engine: Engine
  readonly applicationId: string
  readonly plan: Plan
}

/**
 * Removes them; stores that the topology still has are restored from their changelogs.
 *
 * @returns which there were
 * @throws {StoreError} nothing is lost: start again
 */
export const dropLeftRows = async ({
  engine,
  applicationId,
  plan,
}: LeftRowsOptions): Promise<readonly Namespace[]> => {
  const subOf = new Map(plan.subTopologies.flatMap(({ id, stores }) => stores.map((s) => [s, id])))
  const left = namespacesOf(engine).filter(
    ({ taskId, storeName }) => subOf.get(storeName) !== subIdOf(taskId),
  )
  if (left.length === 0) return left
  const batch = new WriteBatch()
  for (const { taskId, storeName } of left) {
    const topic = changelogTopicName(applicationId, storeName)
    batch.delete(new Uint8Array(0), positionKey(topic, partitionOf(taskId)))
  }
  await engine.commit(batch) // first: rows without a position are never trusted
  for (const { taskId, storeName } of left) {
    const gte = namespacePrefix(taskId, storeName)
    await engine.deleteRange({ gte, lt: prefixEnd(gte) })
  }
  return left
}

const subIdOf = (taskId: string): number => Number(taskId.split('_')[0])

const partitionOf = (taskId: string): number => Number(taskId.split('_')[1])
