/**
 * One input port of a node: lets values pass while the gate is open, names who failed.
 *
 * Called by the HotStream above it, or by the task (punctuations, effect results). It is Observer
 * *and* Subscription: RxJS 7 takes such an object as the subscriber itself, so values arrive
 * unwrapped, and a throw unwinds the stack through all nodes up to the task, which is what ends
 * the fan-out. `test/topology/rxjs-contract.test.ts` guards this.
 */

import { type Observer, Subscription } from 'rxjs'
import type { Gate } from './gate.ts'
import type { GraphNode } from './graph.ts'
import type { HotStream } from './hot-stream.ts'

export class NodeInput<T> extends Subscription implements Observer<T> {
  readonly node: GraphNode
  readonly #gate: Gate
  readonly #body: (value: T) => void

  constructor(stream: HotStream<unknown>, body: (value: T) => void) {
    super()
    this.node = stream.node
    this.#gate = stream.gate
    this.#body = body
  }

  /**
   * No guard against re-entry: inputs are HotStreams made earlier, so a cycle always leads
   * through a plain step (a Subject given to mergeWith), and that one refuses.
   */
  next(value: T): void {
    if (this.#gate.phase !== 'open') return this.#gate.refuse(this.node.name)
    try {
      this.#body(value)
    } catch (cause) {
      throw this.#gate.fail(this.node.name, cause)
    }
  }

  /** Never called: a HotStream emits values only, and nothing else can be listened to. */
  error(): void {}

  complete(): void {}
}
