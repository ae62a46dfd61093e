import type { Header, Headers } from '../../record.ts'

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
  /** A view of length and bytes; null for −1. */
  bytes(): Uint8Array | null {
    const length = this.int32()
    if (length < 0) return null
    const start = this.position
    this.position = start + length
    return this.buffer.subarray(start, start + length)
  }

  headers(count: number): Headers {
    const headers: Header[] = []
    for (let i = 0; i < count; i++) {
      const keyBytes = this.int32()
      const key = this.buffer.toString('utf8', this.position, this.position + keyBytes)
      this.position += keyBytes
      headers.push({ key, value: this.bytes() })
    }
    return headers
  }
}
