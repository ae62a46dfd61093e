/**
 * Buffers of finished write batches, for the batches to come.
 *
 * Used by `WriteBatch` and by engines that have written one. A commit of a busy instance takes
 * megabytes: mapped, zeroed and given back ten times a second they cost 5 % of the main thread.
 * 1. Whoever gives a buffer here has given up every view of it. 2. At most `keptBytesMax` are kept;
 * the content is whatever the last owner left.
 */

const keptBytesMax = 24 * 1024 * 1024
/** A batch gets no buffer more than so many times too large: it would starve a larger one. */
const oversizeMax = 8
/** Below this, allocating is as cheap. */
const pooledBytesMin = 16 * 1024

const kept: ArrayBuffer[] = []
let keptBytes = 0

export const batchBuffers = {
  /** At least so many bytes, not cleared. */
  take(bytes: number): ArrayBuffer {
    const found = smallestOf(bytes)
    if (found < 0) return new ArrayBuffer(bytes)
    const buffer = kept[found]!
    kept[found] = kept.at(-1)!
    kept.pop()
    keptBytes -= buffer.byteLength
    return buffer
  },

  give(buffer: ArrayBuffer): void {
    const { byteLength } = buffer // 0 if it was transferred away
    if (byteLength < pooledBytesMin || keptBytes + byteLength > keptBytesMax) return
    kept.push(buffer)
    keptBytes += byteLength
  },
}

const smallestOf = (bytes: number): number => {
  let found = -1
  for (let i = 0; i < kept.length; i++) {
    const { byteLength } = kept[i]!
    if (byteLength < bytes || byteLength > Math.max(bytes, pooledBytesMin) * oversizeMax) continue
    if (found < 0 || byteLength < kept[found]!.byteLength) found = i
  }
  return found
}
