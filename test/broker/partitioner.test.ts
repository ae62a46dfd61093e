import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  murmur2,
  partitionOf,
  partitionOfBytes,
  partitionOfText,
} from '../../src/broker/partitioner.ts'

/** From Kafka's own UtilsTest.testMurmur2. */
const known: readonly (readonly [key: string, hash: number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

describe('partitioner', () => {
  it.each(known)('murmur2(%s) is what the Java client computes', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash)
  })

  it('takes a partition from the positive part of the hash', () => {
    for (const [key, hash] of known) {
      expect(partitionOf(Buffer.from(key), 7)).toBe((hash & 0x7fffffff) % 7)
    }
  })

  it('hashes views of a larger buffer like copies of them', () => {
    const view = Buffer.from('xxfoobaryy').subarray(2, 8)
    expect(murmur2(view)).toBe(-790332482)
  })

  it('gives text the partition of its UTF-8', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ maxLength: 5 }))
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 1_000 }), (key, partitions) => {
        const bytes = Buffer.from(key, 'utf8')
        expect(partitionOfText(key, partitions)).toBe(partitionOf(bytes, partitions))
        const around = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')])
        const [start, end] = [6, 6 + bytes.length]
        expect(partitionOfBytes(around, start, end, partitions)).toBe(
          partitionOf(bytes, partitions),
        )
      }),
      { numRuns: 1_000 },
    )
  })
})
