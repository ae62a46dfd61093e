/**
 * The raw calls of `@nxtedition/rocksdb` that we use, typed, and where they are loaded.
 *
 * Only `rocks-database.ts` and `rocks-write.ts` may call them: with a wrong type, before open or
 * after close many abort the process instead of throwing. The package's own wrapper is not used:
 * it has an await per read, which costs ten times the read.
 */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

declare const contextBrand: unique symbol
declare const iteratorBrand: unique symbol
declare const batchBrand: unique symbol

export interface RocksContext {
  readonly [contextBrand]: true
}
export interface RocksIterator {
  readonly [iteratorBrand]: true
}
export interface RocksBatch {
  readonly [batchBrand]: true
}

export interface RocksIteratorOptions {
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly reverse: boolean
  /** -1 for all. */
  readonly limit: number
  readonly keyEncoding: 'buffer'
  readonly valueEncoding: 'buffer'
  /** False: `iterator_nextv_sync` has undefined in place of each value. */
  readonly values: boolean
  readonly fillCache: boolean
}

export interface RocksOpenOptions {
  readonly createIfMissing: boolean
  readonly memtableMemoryBudget: number
  readonly compaction: 'level' | 'universal'
  readonly compression: boolean
  readonly walCompression: boolean
  readonly cacheSize: number
  readonly cacheIndexAndFilterBlocks: boolean
  readonly optimize?: 'point-lookup'
  readonly filterPolicy?: string
  readonly blockSize: number
  readonly parallelism: number
}

type Callback = (error: Error | null) => void
type NoOptions = Readonly<Record<string, never>>

export interface RocksBinding {
  db_init(locationOrHandle: string | bigint): RocksContext
  db_get_handle(context: RocksContext): bigint
  db_open(context: RocksContext, options: RocksOpenOptions, callback: Callback): void
  db_close(context: RocksContext, callback: Callback): void
  /** A null is a row left out because the answer would pass 2 GiB. */
  db_get_many_sync(
    context: RocksContext,
    keys: readonly Uint8Array[],
    options: NoOptions,
  ): (Buffer | undefined | null)[]
  /** As above; U+FFFD stands for what is no UTF-8. */
  db_get_many_sync(
    context: RocksContext,
    keys: readonly Uint8Array[],
    options: { readonly valueEncoding: 'utf8' },
  ): (string | undefined | null)[]
  db_get_property(context: RocksContext, name: string): string
  db_get_latest_sequence(context: RocksContext): number
  /** A range delete, at once. */
  db_clear(
    context: RocksContext,
    range: { readonly gte: Uint8Array; readonly lt: Uint8Array },
  ): void
  iterator_init(context: RocksContext, options: RocksIteratorOptions): RocksIterator
  iterator_seek(iterator: RocksIterator, target: Uint8Array): void
  /** Rows are flat: key, value, key, value. */
  iterator_nextv_sync(
    iterator: RocksIterator,
    count: number,
  ): { readonly rows: readonly (Buffer | undefined)[]; readonly finished: boolean }
  iterator_close(iterator: RocksIterator): void
  batch_init(): RocksBatch
  /** Options are looked up for each row, which costs a third of the call: give none. */
  batch_put(batch: RocksBatch, key: Uint8Array, value: Uint8Array, options: undefined): void
  batch_del(batch: RocksBatch, key: Uint8Array, options: undefined): void
  batch_clear(batch: RocksBatch): void
  batch_write(context: RocksContext, batch: RocksBatch, options: { readonly sync: boolean }): void
}

let loaded: RocksBinding | undefined

/** @throws {Error} no prebuilt binary for this machine: use another engine */
export const loadRocksBinding = (): RocksBinding => {
  if (loaded !== undefined) return loaded
  try {
    checkProcessor()
    loaded = createRequire(import.meta.url)('rocksdb/binding.js') as RocksBinding
    return loaded
  } catch (cause) {
    const [reason] = (cause as Error).message.split('\n')
    throw new Error(
      `RocksDB cannot be loaded on ${process.platform}-${process.arch} (${reason}): its binaries `
        + 'are for linux-x64 (glibc 2.34 or later, AVX2) and darwin-arm64',
      { cause },
    )
  }
}

/** The binary for Linux would end the process at its first AVX2 instruction. */
const checkProcessor = (): void => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return
  const flags = /^flags\s*:.*$/m.exec(processorText())?.[0]
  if (flags === undefined || /\bavx2\b/.test(flags)) return
  throw new Error('this processor has no AVX2')
}

/** Empty where the system does not tell: then it is tried. */
const processorText = (): string => {
  try {
    return readFileSync('/proc/cpuinfo', 'latin1')
  } catch {
    return ''
  }
}
