/**
 * Makes one task out of its id: stores over the engine, queues at the committed offsets.
 *
 * Called by the task manager with everything known that had to be asked. Nothing here waits.
 */

import { namespacePrefix, positionKey } from '../../state/key-layout.ts'
import type { Engine } from '../../state/engine.ts'
import type { SlotMemory } from '../../state/slot-memory.ts'
import { Slots } from '../../state/slots.ts'
import type { StoreCounters } from '../../state/store-counters.ts'
import type { UndoLog } from '../../state/undo-log.ts'
import type { CommittedOffset, TopicDescription } from '../broker/port.ts'
import { withRowVersions } from '../stores/row-versions.ts'
import { type GraphNode, sourceOf, type SubTopology } from '../topology/graph.ts'
import { ChangelogHead } from '../task/changelog-head.ts'
import { InputProgress } from '../task/input-progress.ts'
import { RecordQueue } from '../task/record-queue.ts'
import type { TaskInput } from '../task/task-input.ts'
import type { TaskStore } from '../task/task-store.ts'
import type { TaskSink } from '../task/task-io.ts'
import { defaultMaxMessageBytes, type TopicFacts } from './topic-plan.ts'
import type { StreamTime } from '../stores/stream-time.ts'

export interface TaskIdentity {
  readonly id: string
  readonly sub: SubTopology
  readonly partition: number
}

/** Task ids of all sub-topologies: `<sub-topology>_<partition>`. */
export const allTaskIds = (subs: readonly SubTopology[], topics: TopicFacts): readonly string[] =>
  subs.flatMap((sub) =>
    Array.from({ length: topics.partitionsOf(sub) }, (_, partition) => `${sub.id}_${partition}`),
  )

export const taskIdentity = (subs: readonly SubTopology[], id: string): TaskIdentity => {
  const [subId, partition] = id.split('_').map(Number)
  const sub = subs.find((candidate) => candidate.id === subId)
  if (sub === undefined || partition === undefined) throw new Error(`no task is named ${id}`)
  return { id, sub, partition }
}

/** Partitions the task reads: of topics that have that many. */
export const inputsOf = (
  { sub, partition }: TaskIdentity,
  topics: TopicFacts,
): readonly { readonly logical: string; readonly topic: string; readonly partition: number }[] =>
  sub.sourceTopics
    .filter((logical) => topics.topic(logical).partitions > partition)
    .map((logical) => ({ logical, topic: topics.physicalName(logical), partition }))

export const openInputs = (
  task: TaskIdentity,
  topics: TopicFacts,
  offsets: ReadonlyMap<string, Pick<CommittedOffset, 'offset'>>,
): readonly TaskInput[] =>
  inputsOf(task, topics).map(({ logical, topic, partition }) => {
    const node = sourceOf(task.sub.nodes, logical)!
    const { offset } = offsets.get(`${topic}-${partition}`)!
    const serdes = node.topicHandle!
    const copies = serdes.key.copies === true && serdes.value.copies === true
    return {
      queue: new RecordQueue(topic, partition, offset, copies),
      progress: new InputProgress(),
      source: {
        logicalName: logical,
        serdes,
        acceptsNull: acceptsNull(node),
      },
    }
  })

const acceptsNull = ({ acceptsNull: isTable, topicHandle }: GraphNode): boolean =>
  isTable || topicHandle?.value.acceptsNull === true

export interface OpenStoresOptions {
  readonly engine: Engine
  readonly topics: TopicFacts
  readonly clusterId: string
  readonly undo: UndoLog
  readonly time: StreamTime
  readonly cachedSlotsMax: number
  /** Bound in bytes over the decoded rows of all stores; none if absent. */
  readonly slotMemory?: SlotMemory
  /** Of the store, over its tasks; each task has its own if absent. */
  countersOf?(storeName: string): StoreCounters
  readonly stores: ReadonlyMap<string, TaskStore['store']>
}

export const openStores = (
  task: TaskIdentity,
  options: OpenStoresOptions,
): ReadonlyMap<string, TaskStore> => {
  const { engine, topics, clusterId, undo, time, cachedSlotsMax, slotMemory, stores } = options
  return new Map(
    task.sub.stores.map((name) => {
      const store = stores.get(name)!
      const slots = new Slots({
        engine,
        undo,
        cachedSlotsMax,
        ...(slotMemory && { memory: slotMemory }),
        ...(options.countersOf && { counters: options.countersOf(name) }),
        codec: hasVersions(store) ? withRowVersions(store.codec) : store.codec,
        prefix: namespacePrefix(task.id, name),
      })
      const { name: topic, topicId } = topics.changelog(name)
      const { partition } = task
      const head = new ChangelogHead(
        { topic, topicId, partition, clusterId },
        engine.get(positionKey(topic, partition)),
      )
      return [name, { store, slots, opened: store.open(slots, time), changelogTopic: topic, head }]
    }),
  )
}

/** Stores of version 1 are spared the second look at each key. */
const hasVersions = ({ version = 1 }: TaskStore['store']): boolean => version > 1

export const sinksOf = ({ sub }: TaskIdentity, topics: TopicFacts): ReadonlyMap<string, TaskSink> =>
  new Map(
    sub.nodes
      .filter(({ role }) => role === 'sink')
      .map(({ topic, topicHandle }) => [
        topic!,
        { ...sinkOf(topics.topic(topic!)), serdes: topicHandle! },
      ]),
  )

export const sinkOf = ({
  name,
  partitions,
  config,
}: TopicDescription): Omit<TaskSink, 'serdes'> => ({
  topic: name,
  partitions,
  maxMessageBytes: config.maxMessageBytes ?? defaultMaxMessageBytes,
})
