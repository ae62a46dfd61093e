/**
 * Goal: what a socket brought in chunks is read as one, and their memory is given up, but for what
 * other answers may share. Method: random cuts against the whole.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyChunks, freeChunks } from '../../src/broker/kafka/protocol/answer-chunks.ts'

/** As a socket hands them out: each its own memory. */
const chunksOf = (whole: Uint8Array, cuts: readonly number[]): Buffer<ArrayBuffer>[] => {
  const edges = [0, ...cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b)]
  return edges.map((start, i) =>
    Buffer.from(new Uint8Array(whole.slice(start, edges[i + 1])).buffer),
  )
}

test('any part is copied as it lies, wherever the chunks are cut', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      fc.nat(),
      fc.nat(),
      (whole, cuts, from, size) => {
        const position = from % whole.length
        const target = Buffer.alloc(Math.min(size % 300, whole.length - position))
        copyChunks(chunksOf(whole, cuts), position, target)
        expect([...target]).toEqual([...whole.subarray(position, position + target.length)])
      },
    ),
  )
})

test('the inner chunks are freed after the turn, those at the edges stay', async () => {
  const chunks = chunksOf(new Uint8Array(40).fill(7), [10, 20, 30])
  const shared = Buffer.from(new ArrayBuffer(64), 8, 16)
  const list = [...chunks.slice(0, 2), shared, ...chunks.slice(2)]
  freeChunks(list)
  expect(list.map(({ length }) => length)).toEqual([10, 10, 16, 10, 10])
  await new Promise((resolve) => setImmediate(resolve))
  expect(list.map(({ length }) => length)).toEqual([10, 0, 16, 0, 10])
})
