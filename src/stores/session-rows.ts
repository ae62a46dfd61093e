/**
 * Rows of session windows: all sessions of one key in one row.
 *
 * Slot layout, big-endian; `time` is `orderedMs`:
 * ```
 *   ['k'][key]                 → per session, by end, then start:
 *                                [start u64][end u64][valueBytes u32][value]
 *   ['t'][bucketStart time][key] → [1]      the key has, or had, a session that ends in the bucket
 *   ['b']                      → window-bounds.ts
 * ```
 * A record costs one point, and a second only when its session reaches a new bucket. The marks are
 * hints that outlive a session that moved on: who follows one looks at the sessions themselves.
 * Few sessions of one key live at a time, since those that are over are deleted.
 */

import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import type { SlotCodec, Slots } from '../../state/slots.ts'
import type { Serde } from '../serde/serde.ts'
import type { SessionWindows } from '../windows/windows.ts'
import { markerCodec } from './fixed-codecs.ts'
import { KeyCodec } from './key-codec.ts'
import { removeBelow } from './remove-below.ts'
import type { SlotView } from './slot-view.ts'
import { TimePrefixes } from './time-prefixes.ts'
import { decodeTimedList, encodeTimedList, type TimedListParts } from './timed-list.ts'
import { boundsSlot, including, readBounds, type WindowBounds } from './window-bounds.ts'
import type { WindowedReader, WindowedRows, WindowRow } from './windowed-rows.ts'

export interface SessionOptions<K> {
  readonly key: Serde<K>
  readonly windows: SessionWindows
  readonly retentionMs: number
}

export interface Session<V> {
  readonly startMs: number
  readonly endMs: number
  readonly value: V
}

type Sessions<V> = readonly Session<V>[]

export class SessionReader<K, V> implements WindowedReader<K, V> {
  protected readonly keys: KeyCodec<K>
  /** Width of the buckets of marks: a session leaves few behind, a scan finds few in vain. */
  protected readonly bucketMs: number
  readonly #retentionMs: number
  readonly #view: SlotView

  constructor(view: SlotView, { key, windows, retentionMs }: SessionOptions<K>) {
    this.keys = new KeyCodec(key)
    this.bucketMs = Math.max(1, Math.ceil((windows.gapMs + windows.graceMs) / 4))
    this.#retentionMs = retentionMs
    this.#view = view
  }

  get bounds(): WindowBounds {
    return readBounds(this.#view)
  }

  get(key: K, startMs: number): V | undefined {
    const fromMs = this.visibleFromMs()
    return this.sessions(key).find((session) => {
      return session.startMs === startMs && session.endMs >= fromMs
    })?.value
  }

  *fetch(key: K, fromMs: number, toMs: number): Generator<WindowRow<K, V>> {
    const from = Math.max(fromMs, this.visibleFromMs())
    for (const session of this.sessions(key)) {
      if (session.endMs >= from && session.endMs < toMs) yield rowOf(key, session)
    }
  }

  *all(fromMs: number, toMs: number): Generator<WindowRow<K, V>> {
    yield* this.between(Math.max(fromMs, this.visibleFromMs()), toMs - 1)
  }

  *between(fromMs: number, toMs: number): Generator<WindowRow<K, V>> {
    const { lowestMs, newestMs } = this.bounds
    const [from, to] = [Math.max(fromMs, lowestMs), Math.min(toMs, newestMs)]
    if (from > to) return
    const range = { gte: `t${orderedMs(this.startOf(from))}`, lt: `t${orderedMs(to + 1)}` }
    let bucketMs = -1
    let found: (readonly [string, Session<V>])[] = []
    for (const [slot] of this.#view.scan(range)) {
      const startMs = msFromOrdered(slot, 1)
      if (startMs !== bucketMs) {
        yield* this.#inOrder(found)
        found = []
        bucketMs = startMs
      }
      const key = slot.slice(9)
      for (const session of this.ofSlot(key)) {
        const { endMs } = session
        if (this.startOf(endMs) !== bucketMs || endMs < from || endMs > to) continue
        found.push([key, session])
      }
    }
    yield* this.#inOrder(found)
  }

  /** All sessions of a key, hidden or not, by end, then start. */
  sessions(key: K): Sessions<V> {
    return this.ofSlot(this.keys.toSlot(key))
  }

  /** Sessions that end before are over for good: no record meets them. */
  visibleFromMs(): number {
    return this.bounds.newestMs - this.#retentionMs + 1
  }

  protected ofSlot(key: string): Sessions<V> {
    return (this.#view.get(`k${key}`) as Sessions<V> | undefined) ?? []
  }

  protected startOf(endMs: number): number {
    return Math.floor(endMs / this.bucketMs) * this.bucketMs
  }

  /** By end, then start, then key bytes. */
  *#inOrder(found: (readonly [string, Session<V>])[]): Generator<WindowRow<K, V>> {
    // stable: keys stay in order
    found.sort(([, a], [, b]) => a.endMs - b.endMs || a.startMs - b.startMs)
    for (const [slot, session] of found) yield rowOf(this.keys.fromSlot(slot), session)
  }
}

/** The face for the aggregation; its reads see the writes of the record in flight. */
export class SessionRows<K, V> extends SessionReader<K, V> implements WindowedRows<K, V> {
  readonly #slots: Slots
  readonly #marks = new TimePrefixes('t')

  constructor(slots: Slots, options: SessionOptions<K>) {
    super(slots, options)
    this.#slots = slots
  }

  setBounds(bounds: WindowBounds): void {
    this.#slots.put(boundsSlot, bounds)
  }

  /** A hint: reads the sessions of these keys in one call. */
  prefetch(keys: readonly K[]): void {
    this.#slots.prefetch(keys.map((key) => `k${this.keys.toSlot(key)}`))
  }

  /**
   * Puts one session in the place of those it was merged from.
   *
   * @param merged   sessions as returned by `sessions`, the same objects
   * @param session  without one the merged ones are only removed
   */
  replace(key: K, merged: readonly Session<V>[], session: Session<V> | undefined): void {
    const slot = this.keys.toSlot(key)
    const isKept = (old: Session<V>): boolean =>
      !merged.includes(old) && !(old.startMs === session?.startMs && old.endMs === session.endMs)
    const kept = this.ofSlot(slot).filter(isKept)
    if (session !== undefined) insert(kept, session)
    this.#put(slot, kept)
    if (session === undefined) return
    const { endMs } = session
    const mark = this.#marks.of(this.startOf(endMs)) + slot
    if (this.#slots.get(mark) === undefined) this.#slots.put(mark, true)
    const { bounds } = this
    const wider = including(bounds, endMs)
    if (wider !== bounds) this.setBounds(wider)
  }

  /** Whole buckets only; asks the engine once per bucket at most. */
  deleteBelow(timeMs: number): void {
    const { bounds } = this
    const belowMs = this.startOf(timeMs)
    if (bounds.lowestMs >= belowMs) return
    const over = { kind: 't', fromMs: this.startOf(bounds.lowestMs), belowMs }
    const lowestMs = removeBelow(this.#slots, over, (mark) => {
      const slot = mark.slice(9)
      const sessions = this.ofSlot(slot)
      const kept = sessions.filter(({ endMs }) => endMs >= belowMs)
      if (kept.length < sessions.length) this.#put(slot, kept)
      this.#slots.delete(mark)
    })
    this.setBounds({ ...bounds, lowestMs })
  }

  #put(slot: string, sessions: Sessions<V>): void {
    if (sessions.length === 0) this.#slots.delete(`k${slot}`)
    else this.#slots.put(`k${slot}`, sessions)
  }
}

const insert = <V>(sessions: Session<V>[], session: Session<V>): void => {
  const { startMs, endMs } = session
  const isAfter = (other: Session<V>): boolean =>
    other.endMs > endMs || (other.endMs === endMs && other.startMs > startMs)
  const at = sessions.findIndex(isAfter)
  sessions.splice(at < 0 ? sessions.length : at, 0, session)
}

/** The time of a session's value is its end. */
const rowOf = <K, V>(key: K, { startMs, endMs, value }: Session<V>): WindowRow<K, V> => [
  { key, startMs, endMs },
  { value, timestampMs: endMs },
]

export const sessionsCodec = <V>(serde: Serde<V>): SlotCodec => {
  const parts: TimedListParts<V, Session<V>> = {
    value: serde,
    timesOf: ({ startMs, endMs }) => [startMs, endMs],
    rowOf: (startMs, endMs, value) => ({ startMs, endMs, value }),
  }
  const isMark = (slot: string): boolean => slot.startsWith('t')
  return {
    encode: (stored, slot) =>
      isMark(slot) ? markerCodec.encode() : encodeTimedList(stored as Sessions<V>, parts),
    decode: (bytes, slot) => (isMark(slot) ? markerCodec.decode() : decodeTimedList(bytes, parts)),
  }
}
