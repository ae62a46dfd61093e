/** The two databases of an instance, and how one memory budget is split between them. */

import { join } from 'node:path'
import { type Engine } from '../../state/engine.ts'
import { LmdbEngine } from '../../state/lmdb/lmdb-engine.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { type Settings } from '../config/settings.ts'
import { chooseEngine } from './choose-engine.ts'

/** The broker's log is read near its end mostly, from its own cache; the stores anywhere. */
const brokerShare = 0.25

export type EngineSettings = Pick<Settings, 'stateDir' | 'stateMemoryMb' | 'fsync' | 'stateEngine'>

/** @throws {StoreError} see the engines: locked, damaged, full, or made by the other engine */
export const openEngine = async (
  settings: EngineSettings,
  name: 'state' | 'broker',
): Promise<Engine> => {
  const { stateDir, stateMemoryMb, fsync } = settings
  const directory = join(stateDir, name)
  // LMDB reads through the system's cache, and waits for the disk whether or not it is told to
  if (chooseEngine(settings) === 'lmdb') return LmdbEngine.open(directory)
  const isBroker = name === 'broker'
  const share = isBroker ? brokerShare : 1 - brokerShare
  return RocksEngine.open(directory, {
    memoryBytes: Math.floor(stateMemoryMb * 1_048_576 * share),
    compaction: isBroker ? 'universal' : 'level',
    sync: fsync,
  })
}
