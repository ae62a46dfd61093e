/** Zigzag varints at a moving position; one object per batch, in the hot loop of decoding. */
export class VarintReader {
  readonly buffer: Buffer
  position: number

  constructor(buffer: Buffer, position: number) {
    this.buffer = buffer
    this.position = position
  }

  int32(): number {
    const { buffer } = this
    let byte = buffer[this.position++]!
    if (byte < 128) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 127
    for (let shift = 7; byte >= 128; shift += 7) {
      byte = buffer[this.position++]!
      value |= (byte & 127) << shift
    }
    return (value >>> 1) ^ -(value & 1)
  }

  /** A 64-bit value as a number; exact up to 2^52. */
  int64(): number {
    const { buffer } = this
    let byte = buffer[this.position++]!
    if (byte < 128) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 127
    for (let unit = 128; byte >= 128; unit *= 128) {
      byte = buffer[this.position++]!
      value += (byte & 127) * unit
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}
