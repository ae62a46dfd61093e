import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { LogCache, LogTail } from '../../src/broker/embedded/log-cache.ts'
import { batchKinds, type StoredBatch } from '../../src/broker/embedded/stored-batch.ts'

const batchAt = (offset: number, sizeBytes = 1000): StoredBatch => ({
  kind: batchKinds.data,
  transactional: false,
  producerId: -1,
  producerEpoch: 0,
  baseOffset: offset,
  lastOffset: offset + 9,
  maxTimestampMs: 0,
  cleanedAtMs: 0,
  sizeBytes,
  recordCount: 0,
  decodedCount: 0,
  records: [],
})

describe('log cache', () => {
  it('finds the batch that holds an offset, or the next one behind a gap', () => {
    const [cache, tail] = [new LogCache(1e6), new LogTail()]
    for (const offset of [100, 110, 150]) cache.add(tail, batchAt(offset))
    expect([100, 109, 110, 119, 120, 155, 160].map((offset) => tail.placeOf(offset))).toEqual([
      0, 0, 1, 1, 2, 2, 3,
    ])
  })

  it('drops the oldest batch of all logs when the budget is used up', () => {
    const cache = new LogCache(4000)
    const [left, right] = [new LogTail(), new LogTail()]
    cache.add(left, batchAt(0))
    cache.add(right, batchAt(500))
    cache.add(left, batchAt(10))
    cache.add(left, batchAt(20))
    expect([left.first!.baseOffset, left.count, right.count]).toEqual([10, 2, 1])
    cache.add(left, batchAt(30))
    expect([left.count, right.isEmpty]).toEqual([3, true])
    expect(cache.bytes).toBeLessThanOrEqual(4000)
  })

  it('frees the bytes of a dropped tail and keeps counting right for a long time', () => {
    const cache = new LogCache(50_000)
    const [left, right] = [new LogTail(), new LogTail()]
    for (let i = 0; i < 5000; i++) {
      cache.add(i % 3 === 0 ? right : left, batchAt(i * 10))
      if (i % 700 === 0) cache.drop(right)
    }
    expect(cache.bytes).toBe((left.count + right.count) * 1200)
    cache.drop(left)
    cache.drop(right)
    expect(cache.bytes).toBe(0)
  })

  it('keeps nothing alive of what it gave up', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const cache = new LogCache(1e6)
    const tails = Array.from({ length: 50 }, () => new LogTail())
    collect()
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 1000; i++) {
      const records = [{ value: new Uint8Array(100_000) }] as unknown as StoredBatch['records']
      cache.add(tails[i % 50]!, { ...batchAt(i * 10, 100_000), records })
    }
    const kept = (): number => {
      collect()
      return process.memoryUsage().arrayBuffers - before
    }
    // a thread of its own gives buffers back, some time after the collection
    await expect.poll(kept, { timeout: 10_000 }).toBeLessThan(3e6)
  })
})
