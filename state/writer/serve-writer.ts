/**
 * A thread that writes into the database of another: the answering side of `writer-thread.ts`.
 *
 * Called once by each worker, with what its engine does. Every request is answered, in order, by
 * exactly one message.
 */

import { parentPort } from 'node:worker_threads'
import type { KeyRange } from '../engine.ts'
import { StoreConflictError } from '../errors.ts'
import type { WriterFailure, WriterReply, WriterRequest } from './writer-messages.ts'

export interface WriterTarget {
  /** Writes a packed batch atomically; a throw means that nothing was written. */
  write(packed: Buffer, sync: boolean): void
  deleteRange(range: KeyRange): void
  /** Gives up what this thread opened; nothing is asked after it. */
  close?(): void
}

/** @throws {Error} this is the main thread */
export const serveWriter = (target: WriterTarget): void => {
  const port = parentPort
  if (port === null) throw new Error('a writer runs as a worker thread only')
  port.on('message', (request: WriterRequest) => {
    const failure = failureOf(() => serve(target, request))
    if (request.kind !== 'write') return port.postMessage({ failure } satisfies WriterReply)
    const { packed } = request
    port.postMessage({ failure, packed } satisfies WriterReply, [packed])
  })
}

const serve = (target: WriterTarget, request: WriterRequest): void => {
  if (request.kind === 'close') return target.close?.()
  if (request.kind === 'deleteRange') return target.deleteRange(request)
  target.write(Buffer.from(request.packed, 0, request.packedBytes), request.sync)
}

const failureOf = (work: () => void): WriterFailure | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    const { message, code } = error as { readonly message?: unknown; readonly code?: unknown }
    return {
      conflict: error instanceof StoreConflictError,
      message: String(message),
      code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    }
  }
}
