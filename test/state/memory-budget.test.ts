import { describe, expect, it } from 'vitest'
import {
  divideEngineMemory,
  divideMemory,
  engineBytesMin,
  memoryBudgetDefaultBytes,
  memoryBudgetMinBytes,
} from '../../state/memory-budget.ts'

const mebibytes = (count: number): number => count * 2 ** 20

/** What RocksDB uses when six of its buffers are full: half as much again as it was told. */
const worst = (engineBytes: number): number => {
  const { blockCacheBytes, memtableBytes } = divideEngineMemory(engineBytes)
  return blockCacheBytes + memtableBytes * 1.5
}

describe('the memory budget', () => {
  for (const hasBroker of [true, false]) {
    const where = hasBroker ? 'with the embedded broker' : 'without a broker'

    it(`is used up and never passed, ${where}`, () => {
      for (const total of [48, 50, 64, 192, 257, 4_096].map(mebibytes)) {
        const budget = divideMemory(total, { hasBroker })
        const { slotCacheBytes, storeEngineBytes, brokerEngineBytes, logCacheBytes } = budget
        const broker = hasBroker ? worst(brokerEngineBytes) : 0
        const sum = slotCacheBytes + worst(storeEngineBytes) + broker + logCacheBytes
        expect(sum).toBeLessThanOrEqual(total)
        expect(sum).toBeGreaterThan(total - 16)
      }
    })

    it(`refuses what is too little for its engines, and takes the smallest named, ${where}`, () => {
      const minBytes = memoryBudgetMinBytes({ hasBroker })
      const { storeEngineBytes, brokerEngineBytes } = divideMemory(minBytes, { hasBroker })
      const engines = hasBroker ? [storeEngineBytes, brokerEngineBytes] : [storeEngineBytes]
      for (const bytes of engines) expect(bytes).toBeGreaterThanOrEqual(engineBytesMin)
      for (const bytes of [minBytes - 1, 0, NaN]) {
        const refused = () => divideMemory(bytes, { hasBroker })
        expect(refused).toThrow(new RegExp(`at least ${minBytes} are needed`))
      }
    })
  }

  it('leaves the databases as large as they were when each had a size of its own', () => {
    const budget = divideMemory(memoryBudgetDefaultBytes, { hasBroker: true })
    expect(divideEngineMemory(budget.storeEngineBytes)).toEqual({
      blockCacheBytes: mebibytes(48),
      memtableBytes: mebibytes(24),
    })
    expect(divideEngineMemory(budget.brokerEngineBytes)).toEqual({
      blockCacheBytes: mebibytes(16),
      memtableBytes: mebibytes(8),
    })
    expect(budget.logCacheBytes).toBe(mebibytes(8))
  })

  it('gives an engine no block cache beyond what the binding can be told', () => {
    expect(divideEngineMemory(2 ** 40).blockCacheBytes).toBe(2 ** 32 - 1)
  })
})
