/**
 * The rows of one key in one bucket as a row of the engine, big-endian:
 *
 * ```
 *   [leftCount u32], the left rows, the right rows; each
 *   [timestampMs f64][matched u8][valueBytes u32][value]
 * ```
 */

import type { DirectTarget, DirectValue } from '../../state/direct-value.ts'
import type { Serde } from '../serde/serde.ts'
import { type AnyRow, type AnySides, followedBy, noSides } from './join-rows.ts'

type AnySerde = Pick<Serde<unknown>, 'encode' | 'encodeRaw' | 'decode'>
type Raw = string | Uint8Array

const countBytes = 4
const rowHeaderBytes = 13
const utf8BytesMax = 3
/** Places for values that stay from row to row; those of a longer row are let go. */
const rawsKept = 16

export class JoinSidesCodec {
  readonly #left: AnySerde
  readonly #right: AnySerde
  /** One for all rows. */
  readonly #direct = new DirectSides()

  constructor(left: AnySerde, right: AnySerde) {
    this.#left = left
    this.#right = right
  }

  /** @returns of use until the next call */
  encodeRaw(sides: AnySides): DirectValue {
    const direct = this.#direct
    direct.begin(sides)
    for (const { value } of sides.left) direct.add(rawOf(this.#left, value))
    for (const { value } of sides.right) direct.add(rawOf(this.#right, value))
    return direct
  }

  decode(bytes: Uint8Array): AnySides {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const leftCount = view.getUint32(0)
    let { left, right }: AnySides = noSides
    for (let at = countBytes; at < bytes.length;) {
      const timestampMs = view.getFloat64(at)
      const matched = view.getUint8(at + 8) === 1
      const valueAt = at + rowHeaderBytes
      at = valueAt + view.getUint32(at + 9)
      const value = bytes.subarray(valueAt, at)
      if (left.length < leftCount) {
        left = followedBy(left, { timestampMs, value: this.#left.decode(value), matched })
      } else right = followedBy(right, { timestampMs, value: this.#right.decode(value), matched })
    }
    return { left, right }
  }
}

class DirectSides implements DirectValue {
  length = 0
  bytesMax = 0
  #sides: AnySides = noSides
  /** Of the values, left ones first; not emptied: that would free its memory, for the next row. */
  readonly #raws: Raw[] = []
  #count = 0

  begin(sides: AnySides): void {
    this.#sides = sides
    this.#count = 0
    if (this.#raws.length > rawsKept) this.#raws.length = 0
    this.length = countBytes
    this.bytesMax = countBytes
  }

  add(raw: Raw): void {
    this.#raws[this.#count++] = raw
    this.length += rowHeaderBytes + raw.length
    this.bytesMax += rowHeaderBytes + raw.length * (typeof raw === 'string' ? utf8BytesMax : 1)
  }

  writeTo(target: DirectTarget): void {
    const { left, right } = this.#sides
    target.position = target.buffer.writeUInt32BE(left.length, target.position)
    for (let i = 0; i < left.length; i++) writeRow(target, left[i]!, this.#raws[i]!)
    const rightAt = left.length
    for (let i = 0; i < right.length; i++) writeRow(target, right[i]!, this.#raws[rightAt + i]!)
  }
}

const writeRow = (target: DirectTarget, { timestampMs, matched }: AnyRow, raw: Raw): void => {
  const { buffer, position } = target
  target.position = position + rowHeaderBytes
  const valueBytes = target.content(raw)
  buffer.writeDoubleBE(timestampMs, position)
  buffer[position + 8] = matched ? 1 : 0
  buffer.writeUInt32BE(valueBytes, position + 9)
}

const rawOf = (serde: AnySerde, value: unknown): Raw =>
  serde.encodeRaw === undefined ? serde.encode(value) : serde.encodeRaw(value)
