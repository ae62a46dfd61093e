/**
 * A value that writes itself where its bytes will travel, instead of into a buffer of its own.
 *
 * Made by a codec (`SlotCodec.encodeRaw`), written at once by whoever seals: a buffer per row costs
 * as much as the row. One object may serve all rows of a codec, so it is of use only until the
 * codec encodes the next.
 */

export interface DirectValue {
  /** Bytes it takes if all of its text is ASCII, fewer than it takes if not. */
  readonly length: number
  /** Bytes it takes at most. */
  readonly bytesMax: number
  /** May be called again: who guessed its length wrong goes back and writes it anew. */
  writeTo(target: DirectTarget): void
}

export interface DirectTarget {
  /** With room for `bytesMax`. */
  readonly buffer: Buffer
  /** Where the next byte goes. */
  position: number
  /** @returns the bytes it took */
  content(content: string | Uint8Array): number
}

/** Bytes, text that stands for its UTF-8, or a value that writes itself. */
export type RowValue = string | Uint8Array | DirectValue

/** As bytes; a value that wrote itself gets a buffer of its own. */
export const bytesOfValue = (value: RowValue): Uint8Array => {
  if (typeof value === 'string') return Buffer.from(value, 'utf8')
  if (!('writeTo' in value)) return value
  const target = new OwnBuffer(value.bytesMax)
  value.writeTo(target)
  return target.buffer.subarray(0, target.position)
}

class OwnBuffer implements DirectTarget {
  readonly buffer: Buffer
  position = 0

  constructor(bytesMax: number) {
    this.buffer = Buffer.allocUnsafe(bytesMax)
  }

  content(content: string | Uint8Array): number {
    const { buffer, position } = this
    if (typeof content === 'string') this.position += buffer.write(content, position, 'utf8')
    else {
      buffer.set(content, position)
      this.position += content.length
    }
    return this.position - position
  }
}
