/**
 * The output of a node: a real Observable, hot, multicast, connected once.
 *
 * Every operator of ours returns one. 1. Consumers run depth-first in the order of declaration.
 * 2. `pipe` always returns a HotStream, so a plain RxJS step in front of two sinks runs once, not
 * once per sink, and nobody needs `share()`. 3. Subscribing records an edge, which makes plain
 * operators transparent; only RxJS's public API is used (no `lift`, `source`, `operator`).
 *
 * Why no Subject: Node gets RxJS as ES5, where Subject.next allocates a closure and iterates by
 * emulation (36 ns per node), and wraps observers so that a throw is reported asynchronously: the
 * record would count as done. Calling consumers directly costs 12 ns with every guard.
 */

import { Observable, type Subscriber } from 'rxjs'
import { TopologyError } from '../errors/classes.ts'
import type { Gate } from './gate.ts'
import type { GraphNode } from './graph.ts'
import { NodeInput } from './node-input.ts'
import { PlainEntry } from './plain-step.ts'
import type { Scope } from './scope.ts'

/** A method, not a function property: methods are bivariant, so HotStream<T> is covariant. */
interface Consumer<T> {
  next(value: T): void
}

export class HotStream<T> extends Observable<T> {
  readonly scope: Scope
  readonly node: GraphNode
  readonly gate: Gate
  /** Apart from `#rest`: most nodes have one consumer, and a loop costs 2 ns more. */
  #first: Consumer<T> | undefined
  readonly #rest: Consumer<T>[] = []

  constructor(scope: Scope, node: GraphNode) {
    super((subscriber) => this.#attach(subscriber))
    this.scope = scope
    this.node = node
    this.gate = scope.gate
  }

  /** False while nobody listens: what is made for consumers only need not be made. */
  get hasConsumers(): boolean {
    return this.#first !== undefined
  }

  /** Calls every consumer; a throw ends the loop, so later siblings never see the record. */
  emit(value: T): void {
    if (this.#first === undefined) return
    this.#first.next(value)
    const rest = this.#rest
    for (let i = 0; i < rest.length; i++) rest[i]!.next(value)
  }

  /**
   * Connects a node's body to its input, at once: order of declaration = order of fan-out.
   *
   * @param source  a HotStream of the same scope; anything else was made by a static RxJS
   *                function or belongs to another run
   * @throws {TopologyError} STREAMS_UNTRACKED_STREAM, or what subscribing found; fix the definition
   */
  listen<In>(source: Observable<In>, body: (value: In) => void): void {
    if (!(source instanceof HotStream) || source.scope !== this.scope) {
      throw new TopologyError(
        'STREAMS_UNTRACKED_STREAM',
        `node ${this.node.name}: its input is `
          + 'not a stream of this topology run. merge, concat, defer, partition and new Observable '
          + 'of rxjs hide where records come from: use our merge and filter, or pipe().',
      )
    }
    source.subscribe(new NodeInput(this, body))
    this.scope.throwFault()
  }

  /** `never` fits every overload of `Observable.pipe`; callers hold Observables and see those. */
  override pipe(...operators: readonly ((source: never) => unknown)[]): never {
    return operators.reduce<HotStream<unknown>>((stream, operator) => {
      const next = operator(stream as never)
      return next instanceof HotStream ? next : this.scope.adopt(next)
    }, this) as never
  }

  #attach(subscriber: Subscriber<T>): (() => void) | void {
    // An observer that is also a Subscription comes through as it is: one of our own inputs.
    const input: unknown = subscriber
    if (input instanceof NodeInput) {
      this.scope.addEdge(this.node, input.node)
      this.#add(input)
      return
    }
    const step = this.scope.connecting
    if (step === undefined) {
      // Silent towards RxJS: an error notification would make retry() subscribe for ever.
      this.gate.fault(this.node.name, 'STREAMS_SUBSCRIBED', subscribed)
      return
    }
    this.scope.addEdge(this.node, step.node)
    const entry = new PlainEntry(subscriber, step)
    this.#add(entry)
    return () => entry.left(this.node.name)
  }

  #add(consumer: Consumer<T>): void {
    if (this.#first === undefined) this.#first = consumer
    else this.#rest.push(consumer)
  }
}

const subscribed =
  'it was subscribed by hand or at data time (subscribe, defer, switchMap, retry, '
  + 'repeat). Only operators connect, and only while the topology is built; return the sinks.'
