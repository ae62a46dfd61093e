/** The two databases of an instance, and how one memory budget is split between them. */

import { join } from 'node:path'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { type Settings } from '../config/settings.ts'

/** The broker's log is read near its end mostly, from its own cache; the stores anywhere. */
const brokerShare = 0.25

export const openEngine = (
  { stateDir, stateMemoryMb, fsync }: Pick<Settings, 'stateDir' | 'stateMemoryMb' | 'fsync'>,
  name: 'state' | 'broker',
): Promise<RocksEngine> => {
  const isBroker = name === 'broker'
  const share = isBroker ? brokerShare : 1 - brokerShare
  return RocksEngine.open(join(stateDir, name), {
    memoryBytes: Math.floor(stateMemoryMb * 1_048_576 * share),
    compaction: isBroker ? 'universal' : 'level',
    sync: fsync,
  })
}
