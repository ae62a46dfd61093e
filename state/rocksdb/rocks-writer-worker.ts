/**
 * The writer thread of RocksDB: writes packed batches into the main thread's database.
 *
 * Started by `rocks-writer.ts` with the database's handle. It owns no database: the main thread
 * ends it before it closes.
 */

import { workerData } from 'node:worker_threads'
import { serveWriter } from '../writer/serve-writer.ts'
import { loadRocksBinding } from './rocks-binding.ts'
import { rocksWrite } from './rocks-write.ts'

const { handle } = workerData as { readonly handle: bigint }
const binding = loadRocksBinding()
const context = binding.db_init(handle)
const target = { binding, context, batch: binding.batch_init() }

serveWriter({
  write: (packed, sync) => rocksWrite(target, packed, sync),
  deleteRange: ({ gte, lt }) => binding.db_clear(context, { gte, lt }),
})
