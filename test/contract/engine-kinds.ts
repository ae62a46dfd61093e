/** How tests open each engine of the disk, with little memory; also in processes of their own. */

import type { Engine } from '../../state/engine.ts'
import { LmdbEngine } from '../../state/lmdb/lmdb-engine.ts'
import type { DiskEngine } from '../../state/made-by.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'

export const openEngineKind = (kind: DiskEngine, directory: string): Promise<Engine> =>
  kind === 'lmdb'
    ? LmdbEngine.open(directory)
    : RocksEngine.open(directory, { memoryBytes: 6 * 1024 * 1024 })
