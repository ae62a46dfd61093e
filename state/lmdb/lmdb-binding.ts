/**
 * The calls of the package `lmdb` that we use, typed, and how it is opened.
 *
 * Called by `lmdb-database.ts` and by the writer thread, which open the same directory with the
 * same options: within a process the package gives both one environment.
 */

import { createRequire } from 'node:module'
import { lmdbKeyEncoder } from './lmdb-keys.ts'

declare const transactionBrand: unique symbol

/** A read transaction that is held: reads with it see the moment of its beginning. */
export interface LmdbTransaction {
  readonly [transactionBrand]: true
  /** Once per `useReadTransaction`; not after the store was closed. */
  done(): void
}

export interface LmdbRange {
  readonly start: Uint8Array
  readonly end: Uint8Array
  readonly reverse: boolean
  readonly exclusiveStart: boolean
  readonly inclusiveEnd: boolean
  readonly transaction?: LmdbTransaction
}

export interface LmdbEntry {
  readonly key: Buffer
  readonly value: Uint8Array
}

export interface LmdbStore {
  /** A copy. */
  getBinary(
    key: Uint8Array,
    options?: { readonly transaction: LmdbTransaction },
  ): Uint8Array | undefined
  put(key: Uint8Array, value: Uint8Array): unknown
  remove(key: Uint8Array): unknown
  /** Durable when it returns; a throw of the action aborts it. */
  transactionSync(action: () => void): void
  getRange(range: LmdbRange): { iterate(): Iterator<LmdbEntry, undefined> }
  useReadTransaction(): LmdbTransaction
  /** Reads from now on see what was committed by now. */
  resetReadTxn(): void
  getStats(): { readonly entryCount: number }
  /** A line per process that reads, after a heading: its pid first. */
  readerList(): string
  close(): Promise<void>
}

interface LmdbPackage {
  open(options: Readonly<Record<string, unknown>>): LmdbStore
}

/**
 * Address space that is set aside; the file takes what is in it. It grows by itself beyond that,
 * at the price of mapping it anew.
 */
const mapBytes = 64 * 1024 ** 3
/** Cursors and snapshots open at one time; a slot takes 64 bytes. */
const readersMax = 1024

/** @throws {Error} an error of LMDB with its `code`, or no binary for this machine */
export const openLmdb = (directory: string): LmdbStore =>
  loadPackage().open({
    path: directory,
    noSubdir: false, // else a name with a dot would be taken for a file
    encoding: 'binary',
    keyEncoder: lmdbKeyEncoder,
    maxDbs: 1,
    maxReaders: readersMax,
    mapSize: mapBytes,
    // a commit is on the device when it returns: the one order of writes that no cut can break
    overlappingSync: false,
  })

const loadPackage = (): LmdbPackage => {
  try {
    return createRequire(import.meta.url)('lmdb') as LmdbPackage
  } catch (cause) {
    throw new Error(`LMDB cannot be loaded on ${process.platform}-${process.arch}`, { cause })
  }
}
