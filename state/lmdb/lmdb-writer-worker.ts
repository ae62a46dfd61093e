/** The writer thread of LMDB; started by `lmdb-engine.ts` with the directory of the database. */

import { workerData } from 'node:worker_threads'
import { serveWriter } from '../writer/serve-writer.ts'
import { openLmdb } from './lmdb-binding.ts'
import { lmdbDeleteSome, lmdbWrite } from './lmdb-write.ts'
import { WriteTurn } from './write-turn.ts'

const { directory, shared } = workerData as {
  readonly directory: string
  readonly shared: SharedArrayBuffer
}
const turn = new WriteTurn(shared)
const store = turn.run(() => openLmdb(directory))

serveWriter({
  write: (packed) => turn.run(() => lmdbWrite(store, packed)),
  deleteRange: (range) => {
    while (turn.run(() => lmdbDeleteSome(store, range)));
  },
  close: () => void store.close(), // closed when it returns: nothing is asynchronous here
})
