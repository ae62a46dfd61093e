import type { Windowed } from '../windows/windows.ts'
import type { Serde } from './serde.ts'

/**
 * Keys of windowed aggregates: `[key][startMs u64][endMs u64]`, big-endian.
 *
 * Sorts by key, then start, for keys of one length. The windows of one key go to one partition,
 * that of the key alone. The format is ours: Kafka's windowed serdes leave out the end of time
 * windows.
 *
 * @example  topic('per-minute', { key: windowed(utf8), value: json<number>() })
 */
export const windowed = <K>(key: Serde<K>): Serde<Windowed<K>> => ({
  format: `windowed/${key.format}`,
  copies: key.copies === true,
  encode: ({ key: inner, startMs, endMs }) => {
    const keyBytes = key.encode(inner)
    const bytes = Buffer.allocUnsafe(keyBytes.length + boundsBytes)
    bytes.set(keyBytes)
    bytes.writeBigUInt64BE(BigInt(startMs), keyBytes.length)
    bytes.writeBigUInt64BE(BigInt(endMs), keyBytes.length + boundsBytes / 2)
    return bytes
  },
  partitionBytes: (encoded) => encoded.subarray(0, encoded.length - boundsBytes),
  decode: (bytes) => {
    const keyBytes = bytes.length - boundsBytes
    if (keyBytes < 0) throw new RangeError(`${bytes.length} bytes are no windowed key`)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return {
      key: key.decode(bytes.subarray(0, keyBytes)),
      startMs: Number(view.getBigUint64(keyBytes)),
      endMs: Number(view.getBigUint64(keyBytes + boundsBytes / 2)),
    }
  },
})

const boundsBytes = 16
