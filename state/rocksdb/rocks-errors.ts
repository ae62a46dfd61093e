/**
 * Turns errors of the binding into the store's own, on which callers can act.
 *
 * Called wherever the binding is called. The binding tells a lock and a corruption by code; a full
 * device and a missing file only by the system's words in the message.
 */

import {
  StoreCorruptError,
  StoreError,
  StoreFullError,
  StoreIoError,
  StoreLockedError,
} from '../errors.ts'

export type RocksCall = 'open' | 'read' | 'write' | 'close'

export const storeErrorOf = (error: unknown, call: RocksCall, directory: string): StoreError => {
  if (error instanceof StoreError) return error
  const code = (error as { readonly code?: unknown } | null)?.code
  const message = error instanceof Error ? error.message : String(error)
  if (code === 'LEVEL_LOCKED') return new StoreLockedError(directory, undefined, error)
  if (/No space left|ENOSPC|Disk quota exceeded|EDQUOT/.test(message)) {
    return new StoreFullError(directory, error)
  }
  if (code === 'LEVEL_CORRUPTION' || message.startsWith('Corruption:')) {
    return new StoreCorruptError(directory, error)
  }
  // A file that the manifest names is missing, or the manifest that CURRENT names.
  if (call !== 'write' && /No such file or directory/.test(message)) {
    return new StoreCorruptError(directory, error)
  }
  return new StoreIoError(directory, error)
}
