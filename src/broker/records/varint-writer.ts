import { bufferPool } from './buffer-pool.ts'

/** Zigzag varints into a buffer that grows; its bytes may be seen only once it grows no more. */
/** A buffer so full is not copied. */
const fullShare = 0.8
const noBytes = Buffer.alloc(0)

export class VarintWriter {
  buffer: Buffer<ArrayBuffer>
  position: number

  constructor(capacityBytes: number, position: number) {
    this.buffer = bufferPool.take(capacityBytes)
    this.position = position
  }

  /**
   * After the last write: leaves a buffer of what was written and frees the larger one, unless
   * that is nearly full.
   */
  trim(): void {
    const { buffer, position } = this
    if (position >= buffer.length * fullShare) return
    const own = Buffer.allocUnsafeSlow(position)
    buffer.copy(own, 0, 0, position)
    this.buffer = own
    bufferPool.give(buffer)
  }

  /** Nobody needs the bytes any more; nor may it write again. */
  release(): void {
    bufferPool.give(this.buffer)
    this.buffer = noBytes
  }

  /** Makes room for so many more bytes. */
  reserve(bytes: number): void {
    const neededBytes = this.position + bytes
    if (neededBytes <= this.buffer.length) return
    const { buffer } = this
    const grown = bufferPool.take(Math.max(buffer.length * 2, neededBytes))
    buffer.copy(grown, 0, 0, this.position)
    this.buffer = grown
    bufferPool.give(buffer)
  }

  int32(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    while (rest > 127) {
      this.buffer[this.position++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.buffer[this.position++] = rest
  }

  int64(value: number): void {
    let rest = value >= 0 ? value * 2 : -value * 2 - 1
    while (rest > 127) {
      this.buffer[this.position++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.buffer[this.position++] = rest
  }

  /** Length and bytes; −1 for null. */
  bytes(bytes: Uint8Array | null): void {
    if (bytes === null) return this.int32(-1)
    const { length } = bytes
    this.int32(length)
    this.raw(bytes)
  }

  /**
   * Text as UTF-8, or bytes, without a length; there must be room for three bytes a character.
   *
   * @returns the bytes it took
   */
  content(content: string | Uint8Array): number {
    const start = this.position
    if (typeof content === 'string') this.#text(content)
    else this.raw(content)
    return this.position - start
  }

  #text(text: string): void {
    const { length } = text
    const { buffer, position } = this
    // short text is faster by hand, if it is ASCII
    if (length <= 32) {
      let seen = 0
      for (let i = 0; i < length; i++) {
        const code = text.charCodeAt(i)
        seen |= code
        buffer[position + i] = code
      }
      if (seen < 0x80) {
        this.position = position + length
        return
      }
    }
    this.position = position + buffer.write(text, position, 'utf8')
  }

  /** Text of one character per byte, without a length; there must be room. */
  latin1(text: string): void {
    const { length } = text
    const { buffer, position } = this
    // short text is faster by hand
    if (length <= 32) for (let i = 0; i < length; i++) buffer[position + i] = text.charCodeAt(i)
    else buffer.write(text, position, 'latin1')
    this.position = position + length
  }

  /** Bytes of a buffer as they are, without a length. */
  copy(source: Buffer, start: number, end: number): void {
    source.copy(this.buffer, this.position, start, end)
    this.position += end - start
  }

  raw(bytes: Uint8Array): void {
    const { length } = bytes
    // short copies are faster by hand
    if (length < 48) {
      for (let i = 0; i < length; i++) this.buffer[this.position + i] = bytes[i]!
    } else this.buffer.set(bytes, this.position)
    this.position += length
  }
}

/** Bytes that `int32` takes. */
export const int32Bytes = (value: number): number => {
  const rest = ((value << 1) ^ (value >> 31)) >>> 0
  if (rest < 0x80) return 1
  if (rest < 0x4000) return 2
  if (rest < 0x20_0000) return 3
  return rest < 0x1000_0000 ? 4 : 5
}

/** Bytes that `int64` takes. */
export const int64Bytes = (value: number): number => {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  let bytes = 1
  for (; rest > 127; bytes++) rest = Math.floor(rest / 128)
  return bytes
}
