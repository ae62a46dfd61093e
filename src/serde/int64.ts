import type { Serde } from './serde.ts'

const min = -(2n ** 63n)
const max = 2n ** 63n - 1n

/** Signed 64-bit integers as Kafka's LongSerializer writes them: 8 bytes, big-endian. */
export const int64: Serde<bigint> = {
  format: 'int64',
  copies: true,
  encode(value) {
    if (typeof value !== 'bigint') throw new TypeError(`int64 cannot encode ${typeof value}`)
    if (value < min || value > max) throw new RangeError(`int64 cannot hold ${value}`)
    const encoded = Buffer.allocUnsafe(8)
    encoded.writeBigInt64BE(value)
    return encoded
  },
  decode(encoded) {
    if (encoded.length !== 8) throw new RangeError(`int64 needs 8 bytes, got ${encoded.length}`)
    return new DataView(encoded.buffer, encoded.byteOffset, 8).getBigInt64(0)
  },
}
