/**
 * All writes of one database, in order: small ones here and now, the others in a thread.
 *
 * Owned by `RocksEngine`. Why a thread: the binding writes synchronously, and 10k puts held the
 * main thread for 17 ms; sending them costs 2 to 3 ms.
 * 1. Order of calls = order of effect: a small batch is written here only if nothing is in flight.
 * 2. The thread keeps the process alive only while something is in flight.
 * 3. If the thread dies, everything in flight and every later write fails.
 */

import { Worker } from 'node:worker_threads'
import { batchBuffers } from '../batch-buffers.ts'
import { type KeyRange } from '../engine.ts'
import { StoreConflictError, StoreIoError, type StoreError } from '../errors.ts'
import { type RocksDatabase } from './rocks-database.ts'
import { storeErrorOf } from './rocks-errors.ts'
import {
  type WriterFailure,
  type WriterReply,
  type WriterRequest,
} from './rocks-writer-messages.ts'

/**
 * Batches up to this size are written on the main thread.
 *
 * Measured on 2 shared cores: written here a row of 119 bytes holds the main thread for 2 µs, so
 * this size (34 rows) for 70 µs; a trip to the thread holds it for 20 to 30 µs whatever the size,
 * and makes the commit 150 µs longer, which is what a caught-up stream would wait.
 */
const directBytesMax = 4096

interface Pending {
  readonly resolve: () => void
  readonly reject: (error: StoreError) => void
}

export class RocksWriter {
  readonly #database: RocksDatabase
  readonly #worker: Worker
  readonly #pending: Pending[] = []
  #died: StoreError | undefined
  #idle: (() => void)[] = []

  constructor(database: RocksDatabase) {
    this.#database = database
    this.#worker = new Worker(new URL('./rocks-writer-worker.ts', import.meta.url), {
      name: 'rocks-writer',
      execArgv: [], // flags of the process such as --input-type are not for the thread
      workerData: { handle: database.handle() },
    })
    this.#worker.on('message', (reply: WriterReply) => this.#settle(reply))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', (code) => this.#fail(new Error(`writer thread ended with ${code}`)))
    this.#worker.unref()
  }

  /** @param packed  finished bytes of a WriteBatch; given away */
  write(packed: Buffer<ArrayBuffer>, sync: boolean): Promise<void> {
    if (!sync && packed.length <= directBytesMax && this.#pending.length === 0) {
      return this.#writeHere(packed)
    }
    const request = {
      kind: 'write',
      packed: packed.buffer,
      packedBytes: packed.length,
      sync,
    } as const
    return this.#send(request, [packed.buffer])
  }

  deleteRange({ gte, lt }: KeyRange): Promise<void> {
    return this.#send({ kind: 'deleteRange', gte: Uint8Array.from(gte), lt: Uint8Array.from(lt) })
  }

  /** Waits until nothing is in flight, then ends the thread. The caller sends nothing any more. */
  async close(): Promise<void> {
    if (this.#pending.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
    this.#worker.removeAllListeners()
    await this.#worker.terminate()
  }

  async #writeHere(packed: Buffer): Promise<void> {
    if (this.#died !== undefined) throw this.#died
    this.#database.write(packed, false)
    batchBuffers.give(packed.buffer as ArrayBuffer)
  }

  #send(request: WriterRequest, transfer: ArrayBuffer[] = []): Promise<void> {
    if (this.#died !== undefined) return Promise.reject(this.#died)
    return new Promise((resolve, reject) => {
      this.#worker.postMessage(request, transfer)
      this.#pending.push({ resolve, reject })
      if (this.#pending.length === 1) this.#worker.ref()
    })
  }

  #settle({ failure, packed }: WriterReply): void {
    if (packed !== undefined) batchBuffers.give(packed)
    const pending = this.#pending.shift()
    if (pending === undefined) return
    if (failure === undefined) pending.resolve()
    else pending.reject(this.#errorOf(failure))
    if (this.#pending.length > 0) return
    this.#worker.unref()
    for (const wake of this.#idle.splice(0)) wake()
  }

  #errorOf({ conflict, message, code }: WriterFailure): StoreError {
    if (conflict) return new StoreConflictError('commit')
    const cause = Object.assign(new Error(message), code === undefined ? {} : { code })
    return storeErrorOf(cause, 'write', this.#database.directory)
  }

  #fail(cause: unknown): void {
    this.#died ??= new StoreIoError(this.#database.directory, cause)
    for (const { reject } of this.#pending.splice(0)) reject(this.#died)
    for (const wake of this.#idle.splice(0)) wake()
  }
}
