/**
 * How one budget of memory is divided among the parts that hold state: the rule, in one place.
 *
 * Called by whoever opens the databases of an instance; `RocksEngine` splits its part by it too.
 * ```
 *   48 parts ─┬─ 18 decoded rows, over all stores of all tasks (`slot-memory.ts`)
 *             ├─ 21 database of the stores ─┬─ 12 block cache: blocks, indexes, filters
 *             │                             └─  9 memtables, six of them full
 *             └─  9 embedded broker ─┬─ 4 block cache, 3 memtables, as above
 *                                    └─ 2 decoded tails of its logs
 * ```
 * 1. Without an embedded broker its parts belong to the database of the stores. 2. Memtables are
 * counted at their worst: RocksDB is told a third of an engine's bytes, makes buffers of a quarter
 * of that, and lets writers wait when six are full. 3. Not in the budget, since nothing here could
 * shrink them: what one transaction wrote and has not applied yet (`commitRecordsMax` bounds it),
 * blocks that open iterators pin beyond the cache, one output buffer per compaction, batches on
 * their way to the writer thread (24 MiB at most), global tables. 4. RocksDB takes a block cache
 * of 4 GiB at most; what is beyond stays unused.
 */

export interface MemoryBudget {
  readonly totalBytes: number
  /** `slotCacheBytes` of the application. */
  readonly slotCacheBytes: number
  /** `memoryBytes` of the engine with the stores. */
  readonly storeEngineBytes: number
  /** `memoryBytes` of the embedded broker's engine; 0 without one. */
  readonly brokerEngineBytes: number
  /** `cacheBytesMax` of the embedded broker; 0 without one. */
  readonly logCacheBytes: number
}

export interface MemoryHolders {
  /** Whether an embedded broker is part of the process. */
  readonly hasBroker: boolean
}

const mebibyte = 1_048_576

/** Keeps the databases as large as they were before there was one budget. */
export const memoryBudgetDefaultBytes = 192 * mebibyte
/** Below it RocksDB's buffers are so small that it only flushes and compacts. */
export const engineBytesMin = 6 * mebibyte

const parts = { all: 48, slots: 18, stores: 21, broker: 7, logs: 2 } as const
/** An engine's bytes are a third memtables, half as much again at worst: 7/6 in all. */
const worstOfEngine = 7 / 6
const blockCacheBytesMax = 0xffff_ffff // the binding takes 32 bits

/**
 * @param totalBytes  what all state of the process may take
 * @throws {RangeError} too little; the message has the smallest that works
 */
export const divideMemory = (totalBytes: number, holders: MemoryHolders): MemoryBudget => {
  const minBytes = memoryBudgetMinBytes(holders)
  if (!(totalBytes >= minBytes)) {
    throw new RangeError(`state memory of ${totalBytes} bytes: at least ${minBytes} are needed`)
  }
  const { hasBroker } = holders
  const part = (count: number): number => (totalBytes * count) / parts.all
  const stores = hasBroker ? parts.stores : parts.stores + parts.broker + parts.logs
  return {
    totalBytes,
    slotCacheBytes: Math.floor(part(parts.slots)),
    storeEngineBytes: Math.floor(part(stores) / worstOfEngine),
    brokerEngineBytes: hasBroker ? Math.floor(part(parts.broker) / worstOfEngine) : 0,
    logCacheBytes: hasBroker ? Math.floor(part(parts.logs)) : 0,
  }
}

/** The smallest budget in which every engine gets `engineBytesMin`, in whole MiB. */
export const memoryBudgetMinBytes = ({ hasBroker }: MemoryHolders): number => {
  const narrowest = hasBroker ? parts.broker : parts.stores + parts.broker + parts.logs
  const bytes = (engineBytesMin * worstOfEngine * parts.all) / narrowest
  return Math.ceil(bytes / mebibyte) * mebibyte
}

export interface EngineMemory {
  readonly blockCacheBytes: number
  /** As RocksDB takes it; half as much again is used at worst. */
  readonly memtableBytes: number
}

/** @throws {RangeError} fewer than `engineBytesMin` */
export const divideEngineMemory = (memoryBytes: number): EngineMemory => {
  if (!(memoryBytes >= engineBytesMin)) {
    throw new RangeError(`memoryBytes ${memoryBytes}: at least ${engineBytesMin} are needed`)
  }
  const memtableBytes = Math.floor(memoryBytes / 3)
  const blockCacheBytes = Math.min(Math.floor(memoryBytes - memtableBytes), blockCacheBytesMax)
  return { blockCacheBytes, memtableBytes }
}
