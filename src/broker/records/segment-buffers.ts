/**
 * Buffers to pack records into, used again and again.
 *
 * Taken and given back by `VarintWriter` and `PackedRecords`. What is packed is cut to its size
 * when it is sealed, so the larger buffer it was written into is free at once: left to the garbage
 * collector, a busy instance has 100 MB of them lying about (measured).
 * 1. Sizes are powers of two. 2. Whoever gives one has given up every view of it. 3. At most
 * `keptBytesMax` are kept.
 */

const keptBytesMax = 8 * 1024 * 1024
/** Powers of two: 1 KiB to 1 MiB; larger ones are allocated and forgotten. */
const [powerMin, powerMax] = [10, 20]

const kept: Buffer[][] = Array.from({ length: powerMax + 1 }, () => [])
let keptBytes = 0

export const segmentBuffers = {
  /** At least so many bytes, not cleared. */
  take(bytes: number): Buffer {
    const power = Math.max(powerMin, Math.ceil(Math.log2(bytes)))
    const found = kept[power]?.pop()
    if (found === undefined) return Buffer.allocUnsafeSlow(power > powerMax ? bytes : 2 ** power)
    keptBytes -= found.length
    return found
  },

  /** Takes nothing but what `take` gave. */
  give(buffer: Buffer): void {
    const { length } = buffer
    const power = Math.log2(length)
    if (power > powerMax || !Number.isInteger(power) || keptBytes + length > keptBytesMax) return
    kept[power]!.push(buffer)
    keptBytes += length
  },
}
