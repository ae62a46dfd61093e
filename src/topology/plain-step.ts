/**
 * Watches a plain RxJS operator between two nodes and holds it to the rules of a record.
 *
 * ```
 *   HotStream ──► PlainEntry ──► [ map, filter, … ] ──► PlainStep ──► its own HotStream
 * ```
 * While a record is in flight the operator may emit any number of StreamRecords with the key that
 * just entered; it must never complete, walk away, or emit on its own account. State it holds in
 * memory (scan, skip) cannot be seen from here: the test driver's `rebuildBeforeEachRecord` finds
 * that. Cost with the operator itself: 23 ns, where `mapValues` costs 12.
 */

import { type Observer, type Subscriber, Subscription } from 'rxjs'
import type { TopologyError } from '../errors/classes.ts'
import type { TopologyErrorCode } from '../errors/codes.ts'
import { StreamRecord } from '../record.ts'
import type { Gate } from './gate.ts'
import type { GraphNode } from './graph.ts'
import type { HotStream } from './hot-stream.ts'

const nothingEntered = Symbol('nothing entered')

/** The way in: remembers the key that entered and notices an operator that walks away. */
export class PlainEntry<T> {
  readonly #subscriber: Subscriber<T>
  readonly #step: PlainStep

  constructor(subscriber: Subscriber<T>, step: PlainStep) {
    this.#subscriber = subscriber
    this.#step = step
  }

  next(value: T): void {
    if (value instanceof StreamRecord) this.#step.enteredKey = value.key
    this.#subscriber.next(value)
    this.#step.enteredKey = nothingEntered
  }

  left(upstream: string): void {
    if (this.#step.isOver) return // before the error is made: its stack trace costs 5 µs
    this.#step.fault('STREAMS_UNSUBSCRIBED', `it left its input ${upstream}; ${walkedAway}`)
  }
}

/** The way out; why it extends Subscription is said at NodeInput. */
export class PlainStep extends Subscription implements Observer<unknown> {
  readonly node: GraphNode
  /** Set while a record is inside; a field for the hot path, written by PlainEntry alone. */
  enteredKey: unknown = nothingEntered
  #isBusy = false
  readonly #stream: HotStream<unknown>
  readonly #gate: Gate

  constructor(stream: HotStream<unknown>) {
    super()
    this.node = stream.node
    this.#stream = stream
    this.#gate = stream.gate
  }

  next(value: unknown): void {
    if (this.#gate.phase !== 'open' || this.#isBusy) return this.#gate.refuse(this.node.name)
    if (!(value instanceof StreamRecord)) throw this.fault('STREAMS_NOT_A_RECORD', notRecord)
    if (value.key !== this.enteredKey) throw this.#wrongKey()
    this.#isBusy = true
    this.#stream.emit(value)
    this.#isBusy = false // no finally: after a throw this pipeline is never used again
  }

  /** After a failure, and once the task closes the pipeline, operators may walk away. */
  get isOver(): boolean {
    return this.#gate.phase === 'failed' || this.#gate.phase === 'closed'
  }

  /** A throw of the user's function, or one of ours that an operator above has caught. */
  error(cause: unknown): void {
    const { phase } = this.#gate
    if (phase === 'open' || phase === 'failed') throw this.#gate.fail(this.node.name, cause)
    const code = phase === 'building' ? 'STREAMS_TOPOLOGY_INVALID' : 'STREAMS_ASYNC_EMISSION'
    this.fault(code, 'it failed while no record was in flight', cause)
  }

  complete(): void {
    const fault = this.fault('STREAMS_COMPLETED', completed)
    if (this.#gate.phase === 'failed') throw fault
  }

  fault(code: TopologyErrorCode, message: string, cause?: unknown): TopologyError {
    return this.#gate.fault(this.node.name, code, message, cause)
  }

  #wrongKey(): TopologyError {
    if (this.enteredKey !== nothingEntered) return this.fault('STREAMS_KEY_CHANGED', keyChanged)
    return this.fault('STREAMS_UNTRACKED_STREAM', neverEntered)
  }
}

const walkedAway = 'every later record would vanish (takeUntil, timeout, catchError(() => NEVER)).'
const notRecord = 'a plain RxJS step must emit StreamRecords; use record.withValue(value).'
const keyChanged =
  'a plain RxJS step emitted another key than the one that entered. Keys change '
  + 'only through repartitionBy(); a step that holds records back belongs into a store.'
const neverEntered =
  'a plain RxJS step emitted a record that did not enter it: a Subject hides ' + 'an edge.'
const completed = 'it completed (take, first, takeWhile): every later record would vanish.'
