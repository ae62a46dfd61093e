/**
 * Group commit: whatever is written in one turn, or while a commit runs, shares the next commit.
 *
 * Every durable change of the broker goes through here. 1. Groups are committed one after the
 * other, in the order of writing; one write never straddles two groups if it is made without an
 * await in between. 2. `onDurable` callbacks run in the order they were given, before `durable()`
 * resolves, and only if their group was written. 3. A group that fails is dropped as a whole; the
 * next one is tried. 4. A disk that stays full, or fails otherwise, ends it: every later call fails
 * with that error of the disk. 5. After `stop` nothing is written and nothing is called back.
 * 6. Every group counts: the count lies in the engine, and in the witness once it is durable.
 */

import type { Engine } from '../../../state/engine.ts'
import { StoreError } from '../../../state/errors.ts'
import { WriteBatch } from '../../../state/write-batch.ts'
import type { Clock } from '../../clock.ts'
import { BrokerError } from '../errors.ts'
import type { LogWitness } from './log-witness.ts'
import { decodeCount, encodeCount, journalKey, noPrefix } from './rows.ts'

interface Group {
  readonly batch: WriteBatch
  readonly callbacks: (() => void)[]
  readonly written: PromiseWithResolvers<void>
}

export interface JournalOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly witness: LogWitness | undefined
  /** Once: the disk failed for good, nothing will be written any more. */
  onBroken(error: StoreError): void
}

export class Journal {
  readonly #options: JournalOptions
  #open: Group | undefined
  #inFlight: Group | undefined
  #stopped = false
  #broken: StoreError | undefined
  #refusedSinceMs: number | undefined
  #capacityBytes = capacityBytesMin
  #commits: number

  constructor(options: JournalOptions) {
    this.#options = options
    this.#commits = storedCommits(options.engine)
  }

  /** How many groups were ever committed. */
  get commits(): number {
    return this.#commits
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
   * @throws {StoreError} the disk failed for good: end the process, its message says why
   */
  durable(): Promise<void> {
    const ended = this.#ended()
    if (ended !== undefined) return Promise.reject(ended)
    return (this.#open ?? this.#inFlight)?.written.promise ?? Promise.resolve()
  }

  /** As if the process died: what is not durable yet is never answered with success. */
  stop(): void {
    this.#stopped = true
    const lost = new BrokerError('BROKER_UNKNOWN_OUTCOME', 'the broker stopped before the answer')
    for (const group of [this.#inFlight, this.#open]) group?.written.reject(lost)
    this.#open = undefined
  }

  #ended(): Error | undefined {
    if (this.#stopped) return closed()
    return this.#broken
  }

  #group(): Group {
    const ended = this.#ended()
    if (ended !== undefined) throw ended
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
    const { engine, witness } = this.#options
    let failure: Error | undefined
    // a large group comes back soon, small ones in between: growing it step by step copies it twice
    const wantedBytes = Math.max(group.batch.byteLength * 1.25, this.#capacityBytes * 0.95)
    this.#capacityBytes = Math.max(capacityBytesMin, Math.ceil(wantedBytes))
    group.batch.put(noPrefix, journalKey, encodeCount(this.#commits + 1))
    try {
      await engine.commit(group.batch)
    } catch (error) {
      failure = this.#failureOf(error)
    }
    if (this.#stopped) return
    this.#inFlight = undefined
    if (failure === undefined) {
      this.#refusedSinceMs = undefined
      this.#commits += 1
      witness?.write(this.#commits) // before anybody is told: it never knows less than they do
    }
    if (this.#broken === undefined) this.#flush()
    if (failure !== undefined) return group.written.reject(failure)
    for (const callback of group.callbacks) callback()
    group.written.resolve()
  }

  /** Space may come back (a compaction ended, somebody made room), another failure stays. */
  #failureOf(cause: unknown): Error {
    if (!(cause instanceof StoreError)) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      const message = `the broker's disk failed: ${reason}`
      return new BrokerError('BROKER_UNKNOWN_OUTCOME', message, { cause })
    }
    const nowMs = this.#options.clock.monotonicMs()
    this.#refusedSinceMs ??= nowMs
    if (cause.action === 'retry' && nowMs - this.#refusedSinceMs < refusedMaxMs) {
      const message = `the broker's disk refused: ${cause.message}`
      return new BrokerError('BROKER_UNAVAILABLE', message, { cause })
    }
    if (!this.#stopped) this.#break(cause)
    return cause
  }

  #break(error: StoreError): void {
    this.#broken = error
    this.#open?.written.reject(error)
    this.#open = undefined
    this.#options.onBroken(error)
  }
}

/** How many groups were ever committed to this engine. */
export const storedCommits = (engine: Engine): number => {
  const stored = engine.get(journalKey)
  return stored === undefined ? 0 : decodeCount(stored)
}

const capacityBytesMin = 16 * 1024

/** RocksDB looks for free space every 5 s; after twice that, somebody has to act. */
const refusedMaxMs = 10_000

const newGroup = (capacityBytes: number): Group => {
  const written = Promise.withResolvers<void>()
  written.promise.catch(() => {}) // whoever waits sees the failure; nobody has to
  return { batch: new WriteBatch(capacityBytes), callbacks: [], written }
}

const closed = (): BrokerError => new BrokerError('BROKER_CLOSED', 'the embedded broker is closed')
