/**
 * The scope of every later run of a definition: binds one pipeline to one task.
 *
 * Made by the task, anew after each failed record. 1. Node by node, store by store and edge by
 * edge the run must equal the plan; that is a few comparisons, so it is checked every time.
 * 2. Stores are those the task keeps; nodes of other sub-topologies get ones that throw, and no
 * record, punctuation or effect ever reaches them. 3. Everything a node does goes to the services
 * as it is: batching, undo and encoding belong to the task.
 */

import { TopologyError } from '../errors/classes.ts'
import type { GlobalRows } from '../stores/global-rows.ts'
import type { Store } from '../stores/store.ts'
import type { Topic } from '../topic.ts'
import type { EffectNode } from './effect-node.ts'
import type { AnyTopic, GraphNode, NodeSpec, Plan, SubTopology } from './graph.ts'
import type { HotStream } from './hot-stream.ts'
import { type Prefetch, prefetchedTopics } from './prefetch.ts'
import type { Punctuator } from './punctuator.ts'
import { type DropReason, Scope, type SinkSpec, type StagedRecord } from './scope.ts'
import { untouchable } from './untouchable.ts'

/** What a task gives to each of its pipelines; every method is called synchronously. */
export interface TaskServices {
  readonly plan: Plan
  readonly sub: SubTopology
  /** `<sub-topology id>_<partition>`. */
  readonly taskId: string
  readonly partition: number
  /** The store opened once per task; called at each build, for stores of `sub` only. */
  open<Opened>(store: Store<Opened>): Opened
  /** The same for all tasks of the instance; of topics in the plan only. */
  globalRows(topicName: string): GlobalRows<unknown, unknown>
  /** Keeps the output with the record in flight; encodes at once or later, in this order. */
  stage(topicName: string, record: StagedRecord, sink: SinkSpec): void
  /** Highest timestamp of the task's inputs so far; -Infinity before the first. */
  streamTimeMs(): number
  /** Wall clock of the injected Clock. */
  nowMs(): number
  /** Highest wall clock the task has seen, in earlier lives too; -Infinity before. */
  latestNowMs(): number
  /** Wall time up to which every input was seen and processed; -Infinity before. */
  caughtUpToMs(): number
  /** A fault found while no record was in flight: refuse the next record and the next commit. */
  report(fault: TopologyError): void
  countDropped(node: string, reason: DropReason): void
  /** A row was stored: call after the commit of this record, forget it if the record is undone. */
  requestEffect(nodeName: string, rowKey: string): void
}

export class TaskScope extends Scope {
  /** Those of this sub-topology, in declaration order. */
  readonly punctuators: Punctuator[] = []
  /** Those of this sub-topology, by node name. */
  readonly effects = new Map<string, EffectNode>()
  readonly #prefetches: Prefetch[] = []
  readonly #prefetchesOf = new Map<string, Prefetch[]>()
  readonly #task: TaskServices
  readonly #own: ReadonlySet<number>
  readonly #sources = new Map<string, HotStream<unknown>>()
  #nodes = 0
  #edges = 0

  constructor(task: TaskServices) {
    super((fault) => task.report(fault))
    this.#task = task
    this.#own = ownNodes(task.sub)
  }

  /** Where a topic's records go in; `undefined` for topics of other sub-topologies. */
  source(topicName: string): HotStream<unknown> | undefined {
    return this.#sources.get(topicName)
  }

  /** What nodes want to read for records of this topic; empty for most. */
  prefetches(topicName: string): readonly Prefetch[] {
    return this.#prefetchesOf.get(topicName) ?? noPrefetches
  }

  protected override addNode(spec: NodeSpec): GraphNode {
    const planned = this.#task.plan.nodes[this.#nodes++]
    if (planned !== undefined && isAsPlanned(spec, planned)) return planned
    const made = spec.name ?? spec.stem ?? spec.kind
    throw differs(`node ${this.#nodes} is ${made}, planned was ${planned?.name ?? 'none'}`)
  }

  override addEdge(from: GraphNode, to: GraphNode): void {
    const planned = this.#task.plan.edges[this.#edges++]
    if (planned?.from === from.index && planned.to === to.index) return
    this.raise(differs(`edge ${from.name} --> ${to.name} is not in the plan at this place`))
  }

  override addGlobal(topic: AnyTopic): void {
    if (this.#task.plan.globals.get(topic.name) === topic) return
    this.raise(differs(`global table ${topic.name} is not in the plan`))
  }

  override openGlobal<K, V>(_node: GraphNode, topic: Topic<K, V>): GlobalRows<K, V> {
    return this.#task.globalRows(topic.name) as GlobalRows<K, V>
  }

  override addPunctuator(punctuator: Punctuator): void {
    if (this.#own.has(punctuator.node.index)) this.punctuators.push(punctuator)
  }

  override addPrefetch(prefetch: Prefetch): void {
    if (this.#own.has(prefetch.node.index)) this.#prefetches.push(prefetch)
  }

  override addEffect(node: GraphNode, effect: EffectNode): void {
    if (this.#own.has(node.index)) this.effects.set(effect.name, effect)
  }

  override open<Opened>(node: GraphNode, store: Store<Opened>): Opened {
    return this.#own.has(node.index) ? this.#task.open(store) : untouchable(store)
  }

  override stage(sink: SinkSpec, record: StagedRecord): void {
    this.#task.stage(sink.topic.name, record, sink)
  }

  override streamTimeMs(): number {
    return this.#task.streamTimeMs()
  }

  override nowMs(): number {
    return this.#task.nowMs()
  }

  override latestNowMs(): number {
    return this.#task.latestNowMs()
  }

  override caughtUpToMs(): number {
    return this.#task.caughtUpToMs()
  }

  override get taskId(): string {
    return this.#task.taskId
  }

  override get partition(): number {
    return this.#task.partition
  }

  override countDropped(node: string, reason: DropReason): void {
    this.#task.countDropped(node, reason)
  }

  override requestEffect(node: string, rowKey: string): void {
    this.#task.requestEffect(node, rowKey)
  }

  protected override validate(): void {
    const {
      plan: { nodes, edges },
      sub,
    } = this.#task
    if (this.#nodes < nodes.length) throw differs(`node ${nodes[this.#nodes]?.name} is missing`)
    if (this.#edges < edges.length) throw differs(`${edges.length - this.#edges} edges are missing`)
    for (const { index, role, topic } of sub.nodes) {
      const stream = this.streams[index]
      if (role === 'source' && topic !== undefined && stream) this.#sources.set(topic, stream)
    }
    for (const prefetch of this.#prefetches) {
      for (const topic of prefetchedTopics(prefetch, { nodes, edges })) {
        this.#prefetchesOf.set(topic, [...this.prefetches(topic), prefetch])
      }
    }
  }
}

const noPrefetches: readonly Prefetch[] = []

/** Kept per sub-topology: a pipeline is rebuilt after every failed record. */
const owned = new WeakMap<SubTopology, ReadonlySet<number>>()

const ownNodes = (sub: SubTopology): ReadonlySet<number> => {
  let indexes = owned.get(sub)
  if (indexes === undefined) {
    indexes = new Set(sub.nodes.map(({ index }) => index))
    owned.set(sub, indexes)
  }
  return indexes
}

const isAsPlanned = (spec: NodeSpec, planned: GraphNode): boolean => {
  const { kind, name, topic, stores = [] } = spec
  return (
    kind === planned.kind
    && (name === undefined || name === planned.name)
    && topic === planned.topicHandle
    && stores.length === planned.stores.length
    && stores.every((store, index) => store.name === planned.stores[index])
  )
}

const differs = (message: string): TopologyError =>
  new TopologyError(
    'STREAMS_NOT_DETERMINISTIC',
    `${message}; the definition must build the same `
      + 'graph every time, so it must not depend on time, randomness or changing variables, and '
      + 'handles of topics and stores are made outside of it',
  )
