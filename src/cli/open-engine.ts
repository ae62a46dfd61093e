/** The databases of an instance, each with its part of the state memory. */

import { join } from 'node:path'
import { type MemoryBudget } from '../../state/memory-budget.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { type Settings } from '../config/settings.ts'

export const openEngine = (
  { stateDir, fsync }: Pick<Settings, 'stateDir' | 'fsync'>,
  name: 'state' | 'broker',
  { storeEngineBytes, brokerEngineBytes }: MemoryBudget,
): Promise<RocksEngine> => {
  const isBroker = name === 'broker'
  return RocksEngine.open(join(stateDir, name), {
    memoryBytes: isBroker ? brokerEngineBytes : storeEngineBytes,
    compaction: isBroker ? 'universal' : 'level',
    sync: fsync,
  })
}
