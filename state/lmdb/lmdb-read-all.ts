/** Reads every row of the LMDB directory that it is given; started by `lmdb-file.ts`. */

import { openLmdb } from './lmdb-binding.ts'
import { lmdbRows } from './lmdb-rows.ts'

const store = openLmdb(process.argv[2]!)
const rows = lmdbRows(store, { gte: new Uint8Array(), lt: Buffer.alloc(1900, 0xff) })
let bytes = 0
for (const { key, value } of rows) bytes += key.length + value.length
await store.close()
process.stdout.write(`${bytes}\n`)
