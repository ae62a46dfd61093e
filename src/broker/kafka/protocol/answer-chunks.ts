/**
 * The bytes of a large answer as they came from the socket, in chunks of up to 64 KiB.
 *
 * Used by the parser of fetch answers: the records are copied once, to where they will be read
 * from; the library's own way would copy the whole answer first. 1. Positions are those of the
 * library's reader. 2. `free` lets the memory of the chunks go at once: as garbage, a hundred
 * megabytes a second of them make V8 collect all the time. Those at the edges may hold bytes of
 * other answers and stay.
 */

import type { Reader } from '@platformatic/kafka'

type Chunks = Reader['buffer']['buffers']

/** Copies `target.length` bytes from a position on. */
export const copyChunks = (chunks: Chunks, position: number, target: Buffer): void => {
  let chunkStart = 0
  let copied = 0
  for (const chunk of chunks) {
    const from = position + copied - chunkStart
    if (from < chunk.length) copied += chunk.copy(target, copied, from)
    if (copied === target.length) return
    chunkStart += chunk.length
  }
}

/** After this turn: the library still counts the bytes of the answer when the parser is done. */
export const freeChunks = (chunks: Chunks): void => {
  const inner = chunks.slice(1, -1).filter(ownsMemory)
  if (inner.length > 0) setImmediate(() => inner.forEach(({ buffer }) => buffer.transfer(0)))
}

const ownsMemory = (chunk: Buffer): chunk is Buffer<ArrayBuffer> =>
  chunk.buffer instanceof ArrayBuffer && chunk.length === chunk.buffer.byteLength
