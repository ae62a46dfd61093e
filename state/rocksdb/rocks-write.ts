/**
 * Writes one packed batch atomically, after checking its expectations.
 *
 * Called on the main thread for small batches and in the writer thread for all others, never by
 * both at once: nothing else writes between the check and the write.
 */

import { visitToWrite } from '../batch-entries.ts'
import { StoreConflictError } from '../errors.ts'
import type { RocksBatch, RocksBinding, RocksContext } from './rocks-binding.ts'

const noOptions = {}

export interface RocksTarget {
  readonly binding: RocksBinding
  readonly context: RocksContext
  /** Reused; empty between calls. */
  readonly batch: RocksBatch
}

/**
 * @param sync  wait until the device has it
 * @throws {StoreConflictError} an expectation failed, nothing was written
 */
export const rocksWrite = (
  { binding, context, batch }: RocksTarget,
  packed: Buffer,
  sync: boolean,
): void => {
  try {
    visitToWrite(packed, {
      put: (key, value) => binding.batch_put(batch, key, value, undefined),
      delete: (key) => binding.batch_del(batch, key, undefined),
      expect: (key, value) => {
        const stored = binding.db_get_many_sync(context, [key], noOptions)[0]
        if (value === undefined ? stored === undefined : stored?.equals(value)) return
        throw new StoreConflictError(`commit expecting key ${key.toString('latin1')}`)
      },
    })
    binding.batch_write(context, batch, { sync })
  } finally {
    binding.batch_clear(batch)
  }
}
