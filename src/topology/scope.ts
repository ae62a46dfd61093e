/**
 * The ambient scope: what an operator captures at the moment it is created.
 *
 * Operators call `currentScope`; `topology()` and the task call `build`. A scope belongs to one
 * run of one definition. 1. Operators cannot exist outside of a run. 2. Streams of one scope are
 * refused by the operators of another (a module-level variable that outlived its run). 3. RxJS
 * turns errors thrown while subscribing into notifications; `build` raises them again. 4. What a
 * node does to the world goes through the abstract methods here: no operator knows its task.
 */

import { isObservable } from 'rxjs'
import { TopologyError } from '../errors/classes.ts'
import type { StreamRecord } from '../record.ts'
import type { GlobalRows } from '../stores/global-rows.ts'
import type { Store } from '../stores/store.ts'
import type { Topic } from '../topic.ts'
import type { EffectNode } from './effect-node.ts'
import { Gate } from './gate.ts'
import type { AnyTopic, GraphNode, NodeSpec } from './graph.ts'
import { HotStream } from './hot-stream.ts'
import { PlainStep } from './plain-step.ts'
import type { Prefetch } from './prefetch.ts'
import type { Punctuator } from './punctuator.ts'

let ambient: Scope | undefined

/** @throws {TopologyError} STREAMS_OUTSIDE_TOPOLOGY: create the operator inside `topology()` */
export const currentScope = (operator: string): Scope => {
  if (ambient !== undefined) return ambient
  throw new TopologyError(
    'STREAMS_OUTSIDE_TOPOLOGY',
    `${operator}() was called outside of a `
      + 'topology. Operators exist only while topology(name, () => …) runs; to share a fragment, '
      + `export a function: const placed = () => ${operator}(…)`,
  )
}

/** A test may build a task inside of a definition, hence the outer scope comes back. */
const inside = (scope: Scope, body: () => void): void => {
  const outer = ambient
  ambient = scope
  try {
    body()
  } finally {
    ambient = outer
  }
}

/** Where a staged record goes: made once per sink node, never per record. */
export interface SinkSpec {
  readonly nodeName: string
  /** Encodes key and value; `topic.name` is the handle's name. */
  readonly topic: AnyTopic
  /** The runtime writes to `<applicationId>-<name>-repartition`. */
  readonly isInternal: boolean
}

/** Why a node let go of a record without an error; counted per node. */
export type DropReason = 'late' | 'nullKey' | 'nullValue' | 'expired' | 'repeated'

export type StagedRecord = StreamRecord<unknown, unknown>

export abstract class Scope {
  readonly gate: Gate
  readonly streams: HotStream<unknown>[] = []
  /** The plain step that is subscribing right now: lineage sees through RxJS operators by it. */
  connecting: PlainStep | undefined
  readonly #plainSteps: PlainStep[] = []
  #fault: TopologyError | undefined

  constructor(report: (fault: TopologyError) => void) {
    this.gate = new Gate((fault) => {
      this.#fault ??= fault
      if (this.gate.phase !== 'building') report(fault)
    })
  }

  protected abstract addNode(spec: NodeSpec): GraphNode
  protected abstract validate(sinks: readonly unknown[]): void
  abstract addEdge(from: GraphNode, to: GraphNode): void
  abstract addGlobal(topic: AnyTopic): void
  /** Rows of a global table, for a node that declared it. */
  abstract openGlobal<K, V>(node: GraphNode, topic: Topic<K, V>): GlobalRows<K, V>
  abstract addPunctuator(punctuator: Punctuator): void
  abstract addPrefetch(prefetch: Prefetch): void
  abstract addEffect(node: GraphNode, effect: EffectNode): void
  /** The store of this task; a node of another sub-topology gets one that throws when touched. */
  abstract open<Opened>(node: GraphNode, store: Store<Opened>): Opened
  abstract stage(sink: SinkSpec, record: StagedRecord): void
  abstract streamTimeMs(): number
  abstract nowMs(): number
  abstract latestNowMs(): number
  abstract caughtUpToMs(): number
  abstract get taskId(): string
  abstract get partition(): number
  abstract countDropped(node: string, reason: DropReason): void
  abstract requestEffect(node: string, rowKey: string): void

  node<T>(spec: NodeSpec): HotStream<T> {
    if (this.gate.phase !== 'building') {
      const name = spec.name ?? spec.stem ?? spec.kind
      throw this.gate.fault(name, 'STREAMS_SUBSCRIBED', 'it was made at data time')
    }
    const stream = new HotStream<T>(this, this.addNode(spec))
    this.streams.push(stream)
    return stream
  }

  /** Makes the result of a plain RxJS operator a hot node; called by `HotStream.pipe` only. */
  adopt(chain: unknown): HotStream<unknown> {
    if (!isObservable(chain)) {
      throw new TopologyError('STREAMS_TOPOLOGY_INVALID', 'a function in pipe() returned no stream')
    }
    const stream = this.node<unknown>({ kind: 'rxjs' })
    const step = new PlainStep(stream)
    this.#plainSteps.push(step)
    this.connecting = step
    chain.subscribe(step)
    this.connecting = undefined
    this.throwFault()
    return stream
  }

  /** Runs the definition in this scope; the gate is idle after it. */
  build(define: () => readonly unknown[]): void {
    inside(this, () => this.validate(define()))
    this.throwFault()
    this.gate.phase = 'idle'
  }

  /** Notes a build error. A throw would become a notification of RxJS, and be lost. */
  protected raise(fault: TopologyError): void {
    this.#fault ??= fault
  }

  /** Called after every subscribe, so that the stack shows the guilty line of the definition. */
  throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault
  }

  /** Ends the pipeline. Only plain steps can hold timers, so only they are unsubscribed. */
  close(): void {
    this.gate.phase = 'closed'
    for (const step of this.#plainSteps) step.unsubscribe()
  }
}
