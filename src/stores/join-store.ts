/**
 * Both sides of a windowed join: the handle, its options and the codec of its rows.
 *
 * Slot layout, big-endian; `time` is `orderedMs`, a bucket is half the window wide:
 * ```
 *   ['r'][bucketStart time][key]        → both sides, see `encodeSides`  a record reads 3 points
 *   ['u'][timestamp time][side u8][key] → [1]   see `join-marks.ts`
 *   ['b']                               → [unmatchedLowestMs f64][bucketLowestMs f64][deletedTo]
 *   ['t']                               → `JoinTimes` as f64 each; only if late records join
 * ```
 * What happens to the rows is in `join-state.ts`. Why points: a range scan for each record would
 * cost 35–45 µs.
 */

import { bytesFromLatin1, latin1FromBytes } from '../../state/key-layout.ts'
import type { SlotCodec } from '../../state/slots.ts'
import type { Serde } from '../serde/serde.ts'
import { boundsCodec } from './fixed-codecs.ts'
import { marksOf } from './join-marks.ts'
import type { AnySides, JoinBounds, JoinRow, JoinSides, JoinTimes } from './join-rows.ts'
import { followedBy, noSides, timesSlot } from './join-rows.ts'
import { JoinReader } from './join-reader.ts'
import type { JoinState } from './join-state.ts'
import type { JoinWindow } from './join-window.ts'
import { LateJoinState } from './late-join-state.ts'
import type { Store } from './store.ts'
import { StrictJoinState } from './strict-join-state.ts'

export interface JoinStoreOptions<K, A, B> {
  readonly key: Serde<K>
  readonly left: Serde<A>
  readonly right: Serde<B>
  /** Largest distance of two partners' timestamps, in ms; at least 0. */
  readonly withinMs?: number
  /**
   * Instead of `withinMs`: how much older than the left record the right one may be, in ms.
   *
   * May be negative, as long as it and `afterMs` are not below 0 together: −5 means that it must be
   * at least 5 ms newer.
   */
  readonly beforeMs?: number
  /** Instead of `withinMs`: how much newer than the left record the right one may be, in ms. */
  readonly afterMs?: number
  /** How much later than its window a partner may arrive, in ms of stream time; at least 0. */
  readonly graceMs: number
  /**
   * What becomes of records that are later than that.
   *
   * `drop` (default): they are dropped and counted, so every record is joined or reported as alone,
   * never both. `join`: as in Kafka Streams they meet whatever is still stored, and may be reported
   * before a partner comes.
   */
  readonly lateRecords?: 'drop' | 'join'
  /**
   * Only with `lateRecords: 'join'`: wall-clock ms between two reports of records that stayed
   * alone.
   *
   * Default 0: with each record. Kafka Streams' own default is 1,000.
   */
  readonly reportIntervalMs?: number
}

export interface JoinStore<K, A, B>
  extends Store<JoinState<K>, JoinReader<K, A, B>>, JoinStoreOptions<K, A, B> {
  readonly kind: 'join'
}

/**
 * Names the store of a windowed join.
 *
 * @param name  of the store and of the join's node; unique and stable
 * @throws {RangeError} a span that is negative or no whole number of ms, or no span at all
 * @example     joinStore('waiting', { key: utf8, left: json<Order>(), right: json<Payment>(),
 *                withinMs: minutes(15), graceMs: minutes(1) })
 */
export const joinStore = <K, A, B>(
  name: string,
  options: JoinStoreOptions<K, A, B>,
): JoinStore<K, A, B> => {
  const { key, left, right, lateRecords = 'drop' } = options
  const window = windowOf(name, options)
  const { beforeMs, afterMs } = window
  const formats = `key=${key.format} left=${left.format} right=${right.format}`
  return {
    ...options,
    name,
    kind: 'join',
    // buckets depend on the window
    layout: `join/2 ${formats} beforeMs=${beforeMs} afterMs=${afterMs} late=${lateRecords}`,
    changelog: { cleanupPolicy: 'compact' },
    codec: joinCodec(left, right),
    open: (slots) =>
      lateRecords === 'join'
        ? new LateJoinState(slots, window)
        : new StrictJoinState(slots, window),
    reader: (slots) => new JoinReader(slots, window),
  }
}

const windowOf = <K, A, B>(name: string, options: JoinStoreOptions<K, A, B>): JoinWindow<K> => {
  const { key, withinMs, graceMs, reportIntervalMs = 0 } = options
  const { beforeMs = withinMs, afterMs = withinMs } = options
  if (beforeMs === undefined || afterMs === undefined) {
    throw new RangeError(`store ${name}: give it withinMs, or both beforeMs and afterMs`)
  }
  for (const ms of [withinMs ?? 0, beforeMs + afterMs, graceMs, reportIntervalMs]) {
    if (Number.isSafeInteger(ms) && ms >= 0 && Number.isSafeInteger(beforeMs)) continue
    throw new RangeError(
      `store ${name}: withinMs, graceMs, reportIntervalMs and the sum of beforeMs and afterMs must `
        + 'be whole numbers of ms and not negative',
    )
  }
  const keptOf = { left: keptBy(options.left), right: keptBy(options.right) }
  return { key, keptOf, beforeMs, afterMs, graceMs, reportIntervalMs }
}

const keptBy =
  <T>(serde: Serde<T>) =>
  (value: unknown): unknown =>
    serde.keptOf === undefined ? value : serde.keptOf(value as T)

const joinCodec = <A, B>(left: Serde<A>, right: Serde<B>): SlotCodec => ({
  encode(stored, slot) {
    if (slot.startsWith('r')) return encodeSides(stored as JoinSides<A, B>, left, right)
    if (slot === timesSlot) return encodeTimes(stored as JoinTimes)
    return encodeBounds(stored as JoinBounds)
  },
  marks: (stored, slot) => (slot.startsWith('r') ? marksOf(stored as AnySides, slot) : noMarks),
  decode(bytes, slot) {
    if (slot.startsWith('r')) return decodeSides(bytes, left, right)
    if (slot.startsWith('u')) return true
    if (slot === timesSlot) return decodeTimes(bytes)
    return decodeBounds(bytes)
  },
})

const noMarks: readonly string[] = []
const rowHeaderBytes = 13

/**
 * `[leftCount u32]`, then the left rows, then the right rows, each
 * `[timestampMs f64][matched u8][valueBytes u32][value]`.
 */
const encodeSides = <A, B>(sides: JoinSides<A, B>, left: Serde<A>, right: Serde<B>): Uint8Array => {
  const lefts = sides.left.map((row) => rawOf(left, row.value))
  const rights = sides.right.map((row) => rawOf(right, row.value))
  let bytes = 4
  for (const raw of lefts) bytes += rowHeaderBytes + rawBytes(raw)
  for (const raw of rights) bytes += rowHeaderBytes + rawBytes(raw)
  const buffer = Buffer.allocUnsafe(bytes)
  const rightsAt = writeRows(buffer, buffer.writeUInt32BE(lefts.length), sides.left, lefts)
  writeRows(buffer, rightsAt, sides.right, rights)
  return buffer
}

type Raw = string | Uint8Array

const rawOf = <T>(serde: Serde<T>, value: T): Raw =>
  serde.encodeRaw === undefined ? serde.encode(value) : serde.encodeRaw(value)

const rawBytes = (raw: Raw): number =>
  typeof raw === 'string' ? Buffer.byteLength(raw) : raw.length

/** @returns where the next row goes */
const writeRows = (
  buffer: Buffer,
  start: number,
  rows: readonly JoinRow<unknown>[],
  raws: readonly Raw[],
): number => {
  let at = start
  for (let i = 0; i < rows.length; i++) {
    const raw = raws[i]!
    const valueAt = at + rowHeaderBytes
    let valueBytes = raw.length
    if (typeof raw === 'string') valueBytes = buffer.write(raw, valueAt)
    else buffer.set(raw, valueAt)
    buffer.writeDoubleBE(rows[i]!.timestampMs, at)
    buffer.writeUInt8(rows[i]!.matched ? 1 : 0, at + 8)
    buffer.writeUInt32BE(valueBytes, at + 9)
    at = valueAt + valueBytes
  }
  return at
}

const decodeSides = <A, B>(bytes: Uint8Array, left: Serde<A>, right: Serde<B>): JoinSides<A, B> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const leftCount = view.getUint32(0)
  let lefts: readonly JoinRow<A>[] = noSides.left
  let rights: readonly JoinRow<B>[] = noSides.right
  for (let at = 4; at < bytes.length;) {
    const timestampMs = view.getFloat64(at)
    const matched = view.getUint8(at + 8) === 1
    const valueAt = at + rowHeaderBytes
    at = valueAt + view.getUint32(at + 9)
    const value = bytes.subarray(valueAt, at)
    if (lefts.length < leftCount) {
      lefts = followedBy(lefts, { timestampMs, value: left.decode(value), matched })
    } else {
      rights = followedBy(rights, { timestampMs, value: right.decode(value), matched })
    }
  }
  return { left: lefts, right: rights }
}

const boundsBytes = 16

const encodeBounds = ({ unmatchedLowestMs, bucketLowestMs, deletedTo }: JoinBounds): Uint8Array => {
  const bounds = boundsCodec.encode([unmatchedLowestMs, bucketLowestMs])
  return deletedTo === '' ? bounds : Buffer.concat([bounds, bytesFromLatin1(deletedTo)])
}

const decodeBounds = (bytes: Uint8Array): JoinBounds => {
  const [unmatchedLowestMs, bucketLowestMs] = boundsCodec.decode(bytes)
  const deletedTo = latin1FromBytes(bytes.subarray(boundsBytes))
  return { unmatchedLowestMs, bucketLowestMs, deletedTo }
}

const encodeTimes = (times: JoinTimes): Buffer => {
  const { leftMaxMs, rightMaxMs, nextReportMs, minMs, trimmedToMs } = times
  const pairs = [[leftMaxMs, rightMaxMs] as const, [nextReportMs, minMs] as const]
  return Buffer.concat(
    [...pairs, [trimmedToMs, 0] as const].map((pair) => boundsCodec.encode(pair)),
  )
}

const decodeTimes = (bytes: Uint8Array): JoinTimes => {
  const [leftMaxMs, rightMaxMs] = boundsCodec.decode(bytes.subarray(0, 16))
  const [nextReportMs, minMs] = boundsCodec.decode(bytes.subarray(16, 32))
  const [trimmedToMs] = boundsCodec.decode(bytes.subarray(32))
  return { leftMaxMs, rightMaxMs, nextReportMs, minMs, trimmedToMs }
}
