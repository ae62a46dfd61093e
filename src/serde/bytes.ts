import type { Serde } from './serde.ts'

/**
 * Bytes as they are.
 *
 * Both ways copy: decoded bytes outlive the fetch buffer they came from, and encoded ones do not
 * change if the caller writes into its array later. Copies of up to 4 KiB share blocks of 16 KiB,
 * as Node's own buffers do: an array buffer for each would cost ten times the copy.
 */
export const bytes: Serde<Uint8Array> = {
  format: 'bytes',
  copies: true,
  encode: (value) => copied(checked(value)),
  decode: (encoded) => copied(encoded),
  decodeSlice: (buffer, start, end) => {
    const copy = room(end - start)
    buffer.copy(copy, 0, start, end)
    return copy
  },
  encodeRaw: (value) => checked(value),
  keepsBytes: () => true,
}

const blockBytes = 16_384
const sharedBytesMax = 4_096

let block = new ArrayBuffer(blockBytes)
let taken = 0

const room = (sizeBytes: number): Uint8Array => {
  if (sizeBytes > sharedBytesMax) return new Uint8Array(sizeBytes)
  if (taken + sizeBytes > blockBytes) {
    block = new ArrayBuffer(blockBytes)
    taken = 0
  }
  const start = taken
  taken += (sizeBytes + 7) & ~7
  return new Uint8Array(block, start, sizeBytes)
}

const copied = (source: Uint8Array): Uint8Array => {
  const copy = room(source.length)
  copy.set(source)
  return copy
}

const checked = (value: unknown): Uint8Array => {
  if (value instanceof Uint8Array) return value
  throw new TypeError('bytes encodes Uint8Array only')
}
