/**
 * Writes into an LMDB database, in the writer thread: packed batches and the deletion of ranges.
 *
 * Nothing else writes: what is checked at the beginning of a transaction holds to its end.
 */

import { visitEntries } from '../batch-entries.ts'
import type { KeyRange } from '../engine.ts'
import { StoreConflictError } from '../errors.ts'
import type { LmdbStore } from './lmdb-binding.ts'
import { rowOf, storedKey, storedValue } from './lmdb-keys.ts'
import { lmdbRows } from './lmdb-rows.ts'

/** Rows of one transaction of a deletion: their pages are held in memory. */
const deletedMax = 10_000

/** @throws {StoreConflictError} an expectation failed, nothing was written */
export const lmdbWrite = (store: LmdbStore, packed: Buffer): void =>
  store.transactionSync(() => {
    // all of them before any write: within the transaction reads see the writes
    visitEntries(packed, {
      put: ignore,
      delete: ignore,
      expect: (key, value) => {
        if (isEqual(valueOf(store, key), value)) return
        throw new StoreConflictError(`commit expecting key ${key.toString('latin1')}`)
      },
    })
    visitEntries(packed, {
      put: (key, value) => store.put(storedKey(key), storedValue(key, value)),
      delete: (key) => store.remove(storedKey(key)),
      expect: ignore,
    })
  })

/** Deletes the first rows of the range. @returns whether there may be more */
export const lmdbDeleteSome = (store: LmdbStore, range: KeyRange): boolean => {
  const keys = firstKeys(store, range)
  store.transactionSync(() => {
    for (const stored of keys) store.remove(stored)
  })
  store.resetReadTxn()
  return keys.length === deletedMax
}

const firstKeys = (store: LmdbStore, range: KeyRange): readonly Buffer[] => {
  const keys: Buffer[] = []
  for (const { stored } of lmdbRows(store, range)) {
    if (keys.push(stored) === deletedMax) break
  }
  return keys
}

const valueOf = (store: LmdbStore, key: Buffer): Buffer | undefined => {
  const stored = storedKey(key)
  const found = store.getBinary(stored)
  return found === undefined ? undefined : rowOf(stored, found)[1]
}

const isEqual = (found: Buffer | undefined, expected: Buffer | undefined): boolean =>
  found === undefined || expected === undefined ? found === expected : found.equals(expected)

const ignore = (): void => {}
