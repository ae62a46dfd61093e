/**
 * What a row costs to read, write and scan through the slots of a store, in CPU ns, per engine.
 *
 * Method: ROWS rows (default 100,000) of some 60 bytes JSON in a key-value store of one task, keys
 * in random order. `getHit` finds the row decoded in the cache, `getMiss` reads and decodes it from
 * the engine, `prefetch` does so for 1,000 at once; `write` puts a new value of each of 10,000
 * rows, seals them, writes the batch and applies it, as a commit does without its transaction;
 * `scan` reads and decodes all rows in order. CPU is that of the whole process: the engine's
 * threads are in it. 9 rounds after a warm-up, median. ENGINES is a list of rocksdb, lmdb, memory.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine } from '../../state/engine.ts'
import { namespacePrefix } from '../../state/key-layout.ts'
import { LmdbEngine } from '../../state/lmdb/lmdb-engine.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { Slots } from '../../state/slots.ts'
import { UndoLog } from '../../state/undo-log.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { json, keyValueStore, Prng, utf8 } from '../../src/index.ts'
import { chosen, numberSetting } from '../load/setting.ts'
import { report } from '../report.ts'
import { cpuNsPer } from './cpu-time.ts'

interface Account {
  readonly count: number
  readonly sum: number
  readonly name: string
}

type Kind = 'rocksdb' | 'lmdb' | 'memory'

const rows = Math.round(numberSetting('ROWS', 100_000))
const kinds = chosen('ENGINES', ['rocksdb', 'lmdb', 'memory'])
const [generationRows, prefetchedRows, memoryBytes] = [10_000, 1_000, 96 << 20]
const { codec } = keyValueStore('bench', { key: utf8, value: json<Account>() })
const prefix = namespacePrefix('0_0', 'bench')

const open: Readonly<Record<Kind, (directory: string) => Promise<Engine>>> = {
  rocksdb: (directory) => RocksEngine.open(directory, { memoryBytes }),
  lmdb: (directory) => LmdbEngine.open(directory),
  memory: async () => MemoryEngine.create(),
}

/** In an order that has nothing to do with theirs. */
const shuffledKeys = (): readonly string[] => {
  const keys = Array.from({ length: rows }, (_, i) => `user-${String(i).padStart(8, '0')}`)
  const prng = new Prng(1)
  for (let i = rows - 1; i > 0; i--) {
    const other = prng.int(i + 1)
    const swapped = keys[i]!
    keys[i] = keys[other]!
    keys[other] = swapped
  }
  return keys
}

const keys = shuffledKeys()

class BenchStore {
  readonly #engine: Engine
  readonly #undo = new UndoLog()
  readonly slots: Slots
  #sum = 0

  constructor(engine: Engine, cachedSlotsMax: number) {
    this.#engine = engine
    this.slots = new Slots({ engine, prefix, codec, undo: this.#undo, cachedSlotsMax })
  }

  /** One generation: as a commit, without changelog and transaction. */
  async write(written: readonly string[]): Promise<void> {
    this.#sum += 1
    for (const key of written) {
      this.slots.put(key, { count: 1, sum: this.#sum, name: 'somebody with a name' })
      this.#undo.clear()
    }
    const batch = new WriteBatch()
    for (const { key, value } of this.slots.seal()) batch.put(prefix, key, value!)
    await this.#engine.commit(batch)
    this.slots.applied()
  }

  /** Reads all rows in their random order, and checks that they are there. */
  getAll(): void {
    let sum = 0
    for (const key of keys) sum += (this.slots.get(key) as Account).count
    checkRows(sum)
  }

  prefetchAll(): void {
    let sum = 0
    for (let from = 0; from < rows; from += prefetchedRows) {
      const wanted = keys.slice(from, from + prefetchedRows)
      this.slots.prefetch(wanted)
      for (const key of wanted) sum += (this.slots.get(key) as Account).count
    }
    checkRows(sum)
  }

  scanAll(): void {
    let sum = 0
    for (const [, value] of this.slots.scan({})) sum += (value as Account).count
    checkRows(sum)
  }
}

const checkRows = (found: number): void => {
  if (found !== rows) throw new Error(`${found} of ${rows} rows were found`)
}

const measure = async (engine: Engine): Promise<Readonly<Record<string, number>>> => {
  const [warm, cold] = [2 * rows, prefetchedRows]
  const filled = new BenchStore(engine, warm)
  for (let from = 0; from < rows; from += generationRows) {
    await filled.write(keys.slice(from, from + generationRows))
  }
  const getHitCpuNs = await cpuNsPer(rows, () => filled.getAll())
  const written = keys.slice(0, generationRows)
  const writeCpuNs = await cpuNsPer(written.length, () => filled.write(written))
  filled.slots.release()
  // a cache of 1,000 rows that are asked for in a round of all: none is found in it
  const missing = new BenchStore(engine, cold)
  const getMissCpuNs = await cpuNsPer(rows, () => missing.getAll())
  const prefetchCpuNs = await cpuNsPer(rows, () => missing.prefetchAll())
  const scanCpuNs = await cpuNsPer(rows, () => missing.scanAll())
  return { getHitCpuNs, getMissCpuNs, prefetchCpuNs, writeCpuNs, scanCpuNs }
}

for (const kind of kinds) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-store-'))
  const engine = await open[kind](directory)
  try {
    const figures = await measure(engine)
    report({ name: 'micro/store', note: `${kind}, ${rows} rows`, figures })
  } finally {
    await engine.close()
    rmSync(directory, { recursive: true, force: true })
  }
}
