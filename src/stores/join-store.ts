/**
 * Both sides of a windowed join: the handle, its options and the codec of its rows.
 *
 * Slot layout, big-endian; `time` is `orderedMs`, a bucket is `withinMs` wide:
 * ```
 *   ['r'][bucketStart time][key]  → both sides, see `encodeSides`   one record reads 3 points
 *   ['u'][timestamp time][key]    → [1]      this key has unmatched left rows of this time
 *   ['b']                         → [unmatchedLowestMs f64][bucketLowestMs f64]
 * ```
 * What happens to the rows is in `join-state.ts`. Why points: a range scan for each record would
 * cost 35–45 µs.
 */

import { type SlotCodec } from '../../state/slots.ts'
import { type Serde } from '../serde/serde.ts'
import { boundsCodec, markerCodec } from './fixed-codecs.ts'
import { type JoinBounds, type JoinRow, type JoinSides, JoinState } from './join-state.ts'
import { JoinReader } from './join-reader.ts'
import { type Store } from './store.ts'

export interface JoinStoreOptions<K, A, B> {
  readonly key: Serde<K>
  readonly left: Serde<A>
  readonly right: Serde<B>
  /** Largest distance of two partners' timestamps, in ms; at least 0. */
  readonly withinMs: number
  /** How much later than `withinMs` a partner may arrive, in ms of stream time; at least 0. */
  readonly graceMs: number
}

export interface JoinStore<K, A, B>
  extends Store<JoinState<K, A, B>, JoinReader<K, A, B>>, JoinStoreOptions<K, A, B> {
  readonly kind: 'join'
}

/**
 * Names the store of a windowed join.
 *
 * @param name  of the store and of the join's node; unique and stable
 * @throws {RangeError} a negative or infinite span of time
 * @example     joinStore('waiting', { key: utf8, left: json<Order>(), right: json<Payment>(),
 *                withinMs: minutes(15), graceMs: minutes(1) })
 */
export const joinStore = <K, A, B>(
  name: string,
  options: JoinStoreOptions<K, A, B>,
): JoinStore<K, A, B> => {
  const { key, left, right, withinMs, graceMs } = options
  for (const ms of [withinMs, graceMs]) {
    if (!Number.isFinite(ms) || ms < 0) {
      throw new RangeError(`store ${name}: withinMs and graceMs must be finite and not negative`)
    }
  }
  const formats = `key=${key.format} left=${left.format} right=${right.format}`
  return {
    ...options,
    name,
    kind: 'join',
    layout: `join/1 ${formats} withinMs=${withinMs}`, // buckets depend on it
    changelog: { cleanupPolicy: 'compact' },
    codec: joinCodec(left, right),
    open: (slots) => new JoinState(slots, options),
    reader: (slots) => new JoinReader(slots, options),
  }
}

const joinCodec = <A, B>(left: Serde<A>, right: Serde<B>): SlotCodec => ({
  encode(stored, slot) {
    if (slot.startsWith('r')) return encodeSides(stored as JoinSides<A, B>, left, right)
    if (slot.startsWith('u')) return markerCodec.encode()
    const { unmatchedLowestMs, bucketLowestMs } = stored as JoinBounds
    return boundsCodec.encode([unmatchedLowestMs, bucketLowestMs])
  },
  decode(bytes, slot) {
    if (slot.startsWith('r')) return decodeSides(bytes, left, right)
    if (slot.startsWith('u')) return markerCodec.decode()
    const [unmatchedLowestMs, bucketLowestMs] = boundsCodec.decode(bytes)
    return { unmatchedLowestMs, bucketLowestMs } satisfies JoinBounds
  },
})

const rowHeaderBytes = 13

/**
 * `[leftCount u32]`, then the left rows, then the right rows, each
 * `[timestampMs f64][matched u8][valueBytes u32][value]`.
 */
const encodeSides = <A, B>(sides: JoinSides<A, B>, left: Serde<A>, right: Serde<B>): Uint8Array => {
  const leftCount = Buffer.allocUnsafe(4)
  leftCount.writeUInt32BE(sides.left.length)
  const parts: Uint8Array[] = [leftCount]
  for (const row of sides.left) pushRow(parts, row, left.encode(row.value))
  for (const row of sides.right) pushRow(parts, row, right.encode(row.value))
  return Buffer.concat(parts)
}

const pushRow = (parts: Uint8Array[], row: JoinRow<unknown>, value: Uint8Array): void => {
  const header = Buffer.allocUnsafe(rowHeaderBytes)
  header.writeDoubleBE(row.timestampMs, 0)
  header.writeUInt8(row.matched ? 1 : 0, 8)
  header.writeUInt32BE(value.length, 9)
  parts.push(header, value)
}

const decodeSides = <A, B>(bytes: Uint8Array, left: Serde<A>, right: Serde<B>): JoinSides<A, B> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const leftCount = view.getUint32(0)
  const sides: { left: JoinRow<A>[]; right: JoinRow<B>[] } = { left: [], right: [] }
  for (let at = 4; at < bytes.length;) {
    const timestampMs = view.getFloat64(at)
    const matched = view.getUint8(at + 8) === 1
    const valueAt = at + rowHeaderBytes
    at = valueAt + view.getUint32(at + 9)
    const value = bytes.subarray(valueAt, at)
    if (sides.left.length < leftCount) {
      sides.left.push({ timestampMs, matched, value: left.decode(value) })
    } else {
      sides.right.push({ timestampMs, matched, value: right.decode(value) })
    }
  }
  return sides
}
