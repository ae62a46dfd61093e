/**
 * Group commit: whatever is written in one turn, or while a commit runs, shares the next commit.
 *
 * Every durable change of the broker goes through here. 1. Groups are committed one after the
 * other, in the order of writing; one write never straddles two groups if it is made without an
 * await in between. 2. `onDurable` callbacks run in the order they were given, before `durable()`
 * resolves, and only if their group was written. 3. A group that fails is dropped as a whole; the
 * next one is tried. 4. After `stop` nothing is written and nothing is called back.
 */

import { type Engine } from '../../../state/engine.ts'
import { StoreError } from '../../../state/errors.ts'
import { WriteBatch } from '../../../state/write-batch.ts'
import { BrokerError } from '../errors.ts'
import { noPrefix } from './rows.ts'

interface Group {
  readonly batch: WriteBatch
  readonly callbacks: (() => void)[]
  readonly written: PromiseWithResolvers<void>
}

export class Journal {
  readonly #engine: Engine
  #open: Group | undefined
  #inFlight: Group | undefined
  #stopped = false
  #capacityBytes = capacityBytesMin

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Bytes are copied before the call returns. */
  put(key: Uint8Array, value: Uint8Array): void {
    this.#group().batch.put(noPrefix, key, value)
  }

  delete(key: Uint8Array): void {
    this.#group().batch.delete(noPrefix, key)
  }

  onDurable(callback: () => void): void {
    this.#group().callbacks.push(callback)
  }

  /**
   * Resolves once everything written before this call is durable.
   *
   * @throws {BrokerError} BROKER_UNAVAILABLE: nothing was written, try again;
   *   BROKER_UNKNOWN_OUTCOME: the disk failed; BROKER_CLOSED
   */
  durable(): Promise<void> {
    if (this.#stopped) return Promise.reject(closed())
    return (this.#open ?? this.#inFlight)?.written.promise ?? Promise.resolve()
  }

  /** As if the process died: what is not durable yet is never answered with success. */
  stop(): void {
    this.#stopped = true
    const lost = new BrokerError('BROKER_UNKNOWN_OUTCOME', 'the broker stopped before the answer')
    for (const group of [this.#inFlight, this.#open]) group?.written.reject(lost)
    this.#open = undefined
  }

  #group(): Group {
    if (this.#stopped) throw closed()
    if (this.#open !== undefined) return this.#open
    const group = newGroup(this.#capacityBytes)
    this.#open = group
    if (this.#inFlight === undefined) queueMicrotask(() => this.#flush())
    return group
  }

  #flush(): void {
    const group = this.#open
    if (group === undefined || this.#inFlight !== undefined) return
    this.#open = undefined
    this.#inFlight = group
    void this.#write(group)
  }

  async #write(group: Group): Promise<void> {
    let failure: BrokerError | undefined
    // a large group comes back soon, small ones in between: growing it step by step copies it twice
    const wantedBytes = Math.max(group.batch.byteLength * 1.25, this.#capacityBytes * 0.95)
    this.#capacityBytes = Math.max(capacityBytesMin, Math.ceil(wantedBytes))
    try {
      await this.#engine.commit(group.batch)
    } catch (error) {
      failure = brokerErrorOf(error)
    }
    if (this.#stopped) return
    this.#inFlight = undefined
    this.#flush()
    if (failure !== undefined) return group.written.reject(failure)
    for (const callback of group.callbacks) callback()
    group.written.resolve()
  }
}

const capacityBytesMin = 16 * 1024

const newGroup = (capacityBytes: number): Group => {
  const written = Promise.withResolvers<void>()
  written.promise.catch(() => {}) // whoever waits sees the failure; nobody has to
  return { batch: new WriteBatch(capacityBytes), callbacks: [], written }
}

const closed = (): BrokerError => new BrokerError('BROKER_CLOSED', 'the embedded broker is closed')

const brokerErrorOf = (cause: unknown): BrokerError => {
  const reason = cause instanceof Error ? cause.message : String(cause)
  if (cause instanceof StoreError && cause.action === 'retry') {
    return new BrokerError('BROKER_UNAVAILABLE', `the broker's disk refused: ${reason}`, { cause })
  }
  return new BrokerError('BROKER_UNKNOWN_OUTCOME', `the broker's disk failed: ${reason}`, { cause })
}
