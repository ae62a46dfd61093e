/** Codecs of the rows that stores keep for themselves: markers of an index, and bounds. */

const marker = Uint8Array.of(1)

/** One byte, since an empty value is easily mistaken for none. */
export const markerCodec = {
  encode: (): Uint8Array => marker,
  decode: (): true => true,
}

/** Two numbers as f64 big-endian; Infinity included. */
export const boundsCodec = {
  encode([a, b]: readonly [number, number]): Uint8Array {
    const bytes = Buffer.allocUnsafe(16)
    bytes.writeDoubleBE(a, 0)
    bytes.writeDoubleBE(b, 8)
    return bytes
  },
  decode(bytes: Uint8Array): readonly [number, number] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return [view.getFloat64(0), view.getFloat64(8)]
  },
}
