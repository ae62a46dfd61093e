/**
 * A thread that writes into the database of this one: the sending side.
 *
 * Used by `rocks-writer.ts` and `lmdb-writer.ts`, whose workers answer with `serve-writer.ts`. Why
 * a thread: both bindings write synchronously, and 10k puts held the main thread for 17 ms; sending
 * them costs 2 to 3 ms.
 * 1. Order of calls = order of effect. 2. The thread keeps the process alive only while something
 * is in flight. 3. If the thread dies, everything in flight and every later write fails.
 */

import { Worker } from 'node:worker_threads'
import { batchBuffers } from '../batch-buffers.ts'
import type { KeyRange } from '../engine.ts'
import { StoreConflictError, StoreIoError, type StoreError } from '../errors.ts'
import type { WriterFailure, WriterReply, WriterRequest } from './writer-messages.ts'

export interface WriterThreadOptions {
  readonly name: string
  readonly worker: URL
  readonly workerData: unknown
  readonly directory: string
  /** Turns an error of the binding, with its message and code, into one of the store. */
  readonly errorOf: (cause: Error) => StoreError
}

interface Pending {
  readonly resolve: () => void
  readonly reject: (error: StoreError) => void
}

export class WriterThread {
  readonly #options: WriterThreadOptions
  readonly #worker: Worker
  readonly #pending: Pending[] = []
  #died: StoreError | undefined
  #idle: (() => void)[] = []

  constructor(options: WriterThreadOptions) {
    this.#options = options
    this.#worker = new Worker(options.worker, {
      name: options.name,
      execArgv: [], // flags of the process such as --input-type are not for the thread
      workerData: options.workerData,
    })
    this.#worker.on('message', (reply: WriterReply) => this.#settle(reply))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', (code) => this.#fail(new Error(`writer thread ended with ${code}`)))
    this.#worker.unref()
  }

  /** Whether nothing is in flight. */
  get isIdle(): boolean {
    return this.#pending.length === 0
  }

  /** Why the thread ended; undefined while it runs. */
  get died(): StoreError | undefined {
    return this.#died
  }

  /** @param packed  finished bytes of a WriteBatch; given away */
  write(packed: Buffer<ArrayBuffer>, sync: boolean): Promise<void> {
    const packedBytes = packed.length
    const request = { kind: 'write', packed: packed.buffer, packedBytes, sync } as const
    return this.#send(request, [packed.buffer])
  }

  deleteRange({ gte, lt }: KeyRange): Promise<void> {
    return this.#send({ kind: 'deleteRange', gte: Uint8Array.from(gte), lt: Uint8Array.from(lt) })
  }

  /** Waits until nothing is in flight, then ends the thread. The caller sends nothing any more. */
  async close(): Promise<void> {
    if (!this.isIdle) await new Promise<void>((resolve) => this.#idle.push(resolve))
    // what fails there fails again where the database itself is closed
    if (this.#died === undefined) await this.#send({ kind: 'close' }).catch(() => {})
    this.#worker.removeAllListeners()
    await this.#worker.terminate()
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
    return this.#options.errorOf(cause)
  }

  #fail(cause: unknown): void {
    this.#died ??= new StoreIoError(this.#options.directory, cause)
    for (const { reject } of this.#pending.splice(0)) reject(this.#died)
    for (const wake of this.#idle.splice(0)) wake()
  }
}
