/**
 * Both sides of a windowed join: the handle, its options and the codec of its rows.
 *
 * Slot layout, big-endian; `time` is `orderedMs`, a bucket is half the window wide:
 * ```
 *   ['r'][bucketStart time][key]        → both sides, see `join-sides.ts`  a record reads 3 points
 *   ['u'][timestamp time][side u8][key] → [1]   see `join-marks.ts`
 *   ['b']                               → [unmatchedLowestMs f64][bucketLowestMs f64][deletedTo]
 *   ['t']                               → `JoinTimes` as f64 each; only if late records join
 * ```
 * What happens to the rows is in `join-state.ts`. Why points: a range scan for each record would
 * cost 35–45 µs.
 */

import { bytesOfValue, type RowValue } from '../../state/direct-value.ts'
import { bytesFromLatin1, latin1FromBytes } from '../../state/key-layout.ts'
import type { SlotCodec } from '../../state/slots.ts'
import type { Serde } from '../serde/serde.ts'
import { boundsCodec } from './fixed-codecs.ts'
import { marksOf } from './join-marks.ts'
import { JoinReader } from './join-reader.ts'
import { type AnySides, type JoinBounds, type JoinTimes, timesSlot } from './join-rows.ts'
import { JoinSidesCodec } from './join-sides.ts'
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

const joinCodec = <A, B>(left: Serde<A>, right: Serde<B>): SlotCodec => {
  const sides = new JoinSidesCodec(left as Serde<unknown>, right as Serde<unknown>)
  const encodeRaw = (stored: unknown, slot: string): RowValue => {
    if (slot.startsWith('r')) return sides.encodeRaw(stored as AnySides)
    if (slot === timesSlot) return encodeTimes(stored as JoinTimes)
    return encodeBounds(stored as JoinBounds)
  }
  return {
    encode: (stored, slot) => bytesOfValue(encodeRaw(stored, slot)),
    encodeRaw,
    marks: (stored, slot) => (slot.startsWith('r') ? marksOf(stored as AnySides, slot) : noMarks),
    decode(bytes, slot) {
      if (slot.startsWith('r')) return sides.decode(bytes)
      if (slot.startsWith('u')) return true
      if (slot === timesSlot) return decodeTimes(bytes)
      return decodeBounds(bytes)
    },
  }
}

const noMarks: readonly string[] = []
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
