/**
 * Goal: each figure is one that RocksDB knows, and follows what happens to the database.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { engineFigures, engineMemoryBytes, figuresOf } from '../../state/engine-figures.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { batchOf } from '../contract/engine-contract.ts'

const memoryBytes = 6 << 20
const all = { gte: Uint8Array.of(0), lt: Uint8Array.of(255) }
let directory: string
let engine: RocksEngine

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-figures-'))
  engine = await RocksEngine.open(directory, { memoryBytes })
})

afterEach(async () => {
  await engine.close()
  rmSync(directory, { recursive: true, force: true })
})

const figure = (name: string): number => {
  const value = figuresOf(engine).get(name)
  if (value === undefined) throw new Error(`RocksDB does not know ${name}`)
  return value
}

/** Several memtables full. */
const fill = async (rows: number): Promise<void> => {
  for (let from = 0; from < rows; from += 1_000) {
    const batch = new WriteBatch()
    for (let i = from; i < from + 1_000; i++) {
      batch.put(Buffer.from('p'), Buffer.from(`key-${i}`), Buffer.alloc(500, i))
    }
    await engine.commit(batch)
  }
}

describe('engine figures', () => {
  it('are all known to RocksDB', () => {
    expect([...figuresOf(engine).keys()]).toEqual(engineFigures.map(({ name }) => name))
  })

  it('are few for an engine that has no such figures', () => {
    const memory = MemoryEngine.create()
    expect([...figuresOf(memory).keys()]).toEqual(['estimate_num_keys'])
    expect(engineMemoryBytes(memory)).toBe(0)
  })

  it('count cursors and snapshots until they are closed', async () => {
    await engine.commit(batchOf({ a: '1', b: '2' }))
    const [cursor, snapshot] = [engine.scan(all), engine.snapshot()]
    expect([figure('open_iterators'), figure('open_snapshots')]).toEqual([3, 1])
    cursor.close()
    snapshot.close()
    snapshot.close()
    expect([figure('open_iterators'), figure('open_snapshots')]).toEqual([0, 0])
  })

  it('follow what is written and read, within the memory that was given', async () => {
    await fill(20_000)
    expect(figure('estimate_num_keys')).toBeGreaterThan(10_000)
    expect(figure('num_files')).toBeGreaterThan(0)
    expect(figure('live_sst_files_size_bytes')).toBeGreaterThan(1_000_000)
    const usedBytes = figure('block_cache_usage_bytes')
    for (let i = 0; i < 2_000; i++) engine.get(Buffer.from(`pkey-${i}`))
    expect(figure('block_cache_usage_bytes')).toBeGreaterThan(usedBytes)
    expect(figure('block_cache_capacity_bytes')).toBe(4 << 20)
    expect(engineMemoryBytes(engine)).toBeLessThanOrEqual((1.1 * (memoryBytes * 7)) / 6)
  })
})
