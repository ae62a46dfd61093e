/**
 * The scope of the first run of a definition: collects the graph and moves no data.
 *
 * Called by `topology()`. 1. Names, stores and topic handles are unique: two handles of one name
 * would decode the same bytes in two ways. 2. Generated names count per kind or stem, so an
 * inserted filter renames later filters only, and never any state.
 */

import { TopologyError } from '../errors/classes.ts'
import { GlobalRows } from '../stores/global-rows.ts'
import type { Store } from '../stores/store.ts'
import type { Topic } from '../topic.ts'
import type { AnyTopic, Edge, GraphNode, NodeSpec, Plan } from './graph.ts'
import { Scope } from './scope.ts'
import { splitSubTopologies } from './sub-topology.ts'
import { untouchable } from './untouchable.ts'
import { validate } from './validate.ts'

export class PlanningScope extends Scope {
  readonly #nodes: GraphNode[] = []
  readonly #edges: Edge[] = []
  readonly #names = new Set<string>()
  readonly #counts = new Map<string, number>()
  readonly #stores = new Map<string, Store>()
  readonly #globals = new Map<string, AnyTopic>()
  readonly #topics = new Map<string, { handle: AnyTopic; isInternal: boolean }>()

  constructor() {
    super(() => {}) // closed as soon as it is built: nothing can be reported later
  }

  plan(name: string, define: () => readonly unknown[]): Plan {
    try {
      this.build(define)
    } finally {
      this.close()
    }
    const internal = [...this.#topics].filter(([, { isInternal }]) => isInternal)
    return {
      name,
      nodes: this.#nodes,
      edges: this.#edges,
      internalTopics: internal.map(([topic]) => topic),
      subTopologies: splitSubTopologies(this.#nodes, this.#edges),
      stores: this.#stores,
      globals: this.#globals,
    }
  }

  protected override addNode(spec: NodeSpec): GraphNode {
    const { kind, role = 'processor', topic, stores = [] } = spec
    const { isInternal = false, acceptsNull = false, changesKey = false, isBlind = false } = spec
    if (topic !== undefined) this.#addTopic(topic, isInternal)
    for (const store of stores) this.#addStore(store)
    const node: GraphNode = {
      index: this.#nodes.length,
      kind,
      name: this.#nameOf(spec),
      role,
      topic: topic?.name,
      topicHandle: topic,
      internalTopic: isInternal,
      acceptsNull: role === 'source' && (acceptsNull || topic?.value.acceptsNull === true),
      changesKey,
      isBlind,
      stores: stores.map(({ name }) => name),
      globals: spec.globals ?? [],
    }
    this.#nodes.push(node)
    return node
  }

  override addEdge(from: GraphNode, to: GraphNode): void {
    this.#edges.push({ from: from.index, to: to.index })
  }

  override addGlobal(topic: AnyTopic): void {
    this.#addTopic(topic, false)
    this.#globals.set(topic.name, topic)
  }

  override openGlobal<K, V>(_node: GraphNode, topic: Topic<K, V>): GlobalRows<K, V> {
    return new GlobalRows(topic) // never read: no record passes while the plan is made
  }

  override addPunctuator(): void {}

  override addPrefetch(): void {}

  override addEffect(): void {}

  override open<Opened>(_node: GraphNode, store: Store<Opened>): Opened {
    return untouchable(store)
  }

  override stage(): void {}

  override streamTimeMs(): number {
    return -Infinity
  }

  override nowMs(): number {
    return -Infinity
  }

  override latestNowMs(): number {
    return -Infinity
  }

  override caughtUpToMs(): number {
    return -Infinity
  }

  override get taskId(): string {
    return 'plan'
  }

  override get partition(): number {
    return -1
  }

  override countDropped(): void {}

  override requestEffect(): void {}

  protected override validate(sinks: readonly unknown[]): void {
    this.throwFault()
    validate(this, { nodes: this.#nodes, edges: this.#edges, globals: this.#globals }, sinks)
  }

  #nameOf({ kind, name, stem }: NodeSpec): string {
    const made = name ?? this.#nextName(kind, stem)
    if (this.#names.has(made)) throw invalid(`the name ${made} is used twice; rename one node`)
    this.#names.add(made)
    return made
  }

  #nextName(kind: string, stem: string | undefined): string {
    const base = stem ?? kind
    const count = (this.#counts.get(base) ?? 0) + 1
    this.#counts.set(base, count)
    return stem !== undefined && count === 1 ? stem : `${base}-${count}`
  }

  #addStore(store: Store): void {
    if (store.name === '') throw invalid('a store has an empty name')
    const known = this.#stores.get(store.name)
    if (known !== undefined && known !== store) {
      throw invalid(`two stores are named ${store.name}; share one handle or rename one`)
    }
    this.#stores.set(store.name, store)
  }

  #addTopic(handle: AnyTopic, isInternal: boolean): void {
    const known = this.#topics.get(handle.name)
    if (known !== undefined && (known.handle !== handle || known.isInternal !== isInternal)) {
      throw invalid(`two topics are named ${handle.name}; share one handle or rename one`)
    }
    this.#topics.set(handle.name, { handle, isInternal })
  }
}

const invalid = (message: string): TopologyError =>
  new TopologyError('STREAMS_TOPOLOGY_INVALID', message)
