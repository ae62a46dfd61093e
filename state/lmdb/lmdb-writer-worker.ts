/** The writer thread of LMDB; started by `lmdb-engine.ts` with the directory of the database. */

import { workerData } from 'node:worker_threads'
import { serveWriter } from '../writer/serve-writer.ts'
import { openLmdb } from './lmdb-binding.ts'
import { lmdbDeleteRange, lmdbWrite } from './lmdb-write.ts'

const { directory } = workerData as { readonly directory: string }
const store = openLmdb(directory)

serveWriter({
  write: (packed) => lmdbWrite(store, packed),
  deleteRange: (range) => lmdbDeleteRange(store, range),
  close: () => void store.close(), // closed when it returns: nothing is asynchronous here
})
