/**
 * Buffers for the bytes of many records, used again and again: what is packed, what was fetched.
 *
 * Taken and given back by `VarintWriter`, `PackedRecords` and the fetch of the Kafka adapter. Left
 * to the garbage collector, a busy instance has 100 MB of them lying about, and their bytes make
 * it collect several times a second (measured: a fifth of the CPU of a pass-through).
 * 1. Sizes are powers of two. 2. Whoever gives one has given up every view of it. 3. At most
 * `keptBytesMax` are kept.
 */

const keptBytesMax = 24 * 1024 * 1024
/** Powers of two: 1 KiB to 1 MiB; larger ones are allocated and forgotten. */
const [powerMin, powerMax] = [10, 20]

const kept: Buffer<ArrayBuffer>[][] = Array.from({ length: powerMax + 1 }, () => [])
let keptBytes = 0

export const bufferPool = {
  /** At least so many bytes, not cleared. */
  take(bytes: number): Buffer<ArrayBuffer> {
    const power = Math.max(powerMin, Math.ceil(Math.log2(bytes)))
    const found = kept[power]?.pop()
    if (found === undefined) return Buffer.allocUnsafeSlow(power > powerMax ? bytes : 2 ** power)
    keptBytes -= found.length
    return found
  },

  /** Takes nothing but what `take` gave; others are left to the garbage collector. */
  give(buffer: Buffer<ArrayBuffer>): void {
    const { length } = buffer
    const power = Math.log2(length)
    if (power > powerMax || !Number.isInteger(power) || keptBytes + length > keptBytesMax) return
    kept[power]!.push(buffer)
    keptBytes += length
  },
}
