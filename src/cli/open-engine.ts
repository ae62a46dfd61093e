/** The databases of an instance, each with its part of the state memory. */

import { join } from 'node:path'
import type { Engine } from '../../state/engine.ts'
import { LmdbEngine } from '../../state/lmdb/lmdb-engine.ts'
import type { MemoryBudget } from '../../state/memory-budget.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import type { Settings } from '../config/settings.ts'
import { chooseEngine } from './choose-engine.ts'

export type EngineSettings = Pick<Settings, 'stateDir' | 'fsync' | 'stateEngine'>

/** @throws {StoreError} see the engines: locked, damaged, full, or made by the other engine */
export const openEngine = async (
  settings: EngineSettings,
  name: 'state' | 'broker',
  { storeEngineBytes, brokerEngineBytes }: MemoryBudget,
): Promise<Engine> => {
  const { stateDir, fsync } = settings
  const directory = join(stateDir, name)
  // LMDB reads through the system's cache, and waits for the disk whether or not it is told to
  if (chooseEngine(settings) === 'lmdb') return LmdbEngine.open(directory)
  const isBroker = name === 'broker'
  return RocksEngine.open(directory, {
    memoryBytes: isBroker ? brokerEngineBytes : storeEngineBytes,
    compaction: isBroker ? 'universal' : 'level',
    sync: fsync,
  })
}
