/**
 * The writer thread: takes packed batches in order and writes each into the main thread's database.
 *
 * Started by `rocks-writer.ts` with the database's handle. 1. It owns no database: the main thread
 * ends it before it closes. 2. Every request is answered, in order, by exactly one message.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { StoreConflictError } from '../errors.ts'
import { loadRocksBinding } from './rocks-binding.ts'
import { rocksWrite } from './rocks-write.ts'
import {
  type WriterFailure,
  type WriterReply,
  type WriterRequest,
} from './rocks-writer-messages.ts'

const port = parentPort
if (port === null) throw new Error('rocks-writer-worker runs as a worker thread only')
const { handle } = workerData as { readonly handle: bigint }
const binding = loadRocksBinding()
const context = binding.db_init(handle)
const target = { binding, context, batch: binding.batch_init() }

const serve = (request: WriterRequest): WriterFailure | undefined => {
  try {
    if (request.kind === 'deleteRange') {
      binding.db_clear(context, { gte: request.gte, lt: request.lt })
    } else {
      rocksWrite(target, Buffer.from(request.packed, 0, request.packedBytes), request.sync)
    }
    return undefined
  } catch (error) {
    const { message, code } = error as { readonly message?: unknown; readonly code?: unknown }
    return {
      conflict: error instanceof StoreConflictError,
      message: String(message),
      code: typeof code === 'string' ? code : undefined,
    }
  }
}

port.on('message', (request: WriterRequest) => {
  const failure = serve(request)
  if (request.kind !== 'write') return port.postMessage({ failure } satisfies WriterReply)
  const { packed } = request
  port.postMessage({ failure, packed } satisfies WriterReply, [packed])
})
