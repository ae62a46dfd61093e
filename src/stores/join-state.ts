/**
 * The rows of a windowed join: who meets whom, and who stayed alone.
 *
 * Opened once per task; called by `stream-stream-join.ts` for each record. What becomes of late
 * records is the subclasses' matter: `strict-join-state.ts` drops them, `late-join-state.ts` joins
 * them as Kafka Streams does.
 * 1. A row is joined with the rows of the other side that its window covers and that are visible
 * still. 2. A row that is to be reported if it stays alone is unmatched, and in an index by time,
 * until it meets a partner or is reported: once. 3. `bounds` bound from below what is left to
 * report and to delete, so a record that closes nothing costs one comparison. 4. What must last
 * lives in slots: an undone record leaves no trace but needless look-ups.
 */

import type { Slots } from '../../state/slots.ts'
import { type AnyRow, type AnySides, boundsSlot, type JoinBounds, withRows } from './join-rows.ts'
import { followedBy, noBounds, noSides, rowsOf } from './join-rows.ts'
import {
  aheadMs,
  behindMs,
  bucketMsOf,
  type JoinWindow,
  otherSide,
  type Side,
} from './join-window.ts'
import { keyOfMark, msOfMark, sideOfMark } from './join-marks.ts'
import { KeyCodec } from './key-codec.ts'
import { TimePrefixes } from './time-prefixes.ts'
import { UnmatchedIndex } from './unmatched-index.ts'
import { WrittenRows } from './written-rows.ts'

/** Where and when a record stands. */
export interface JoinMoment {
  readonly timestampMs: number
  /** Highest timestamp of the task, this record's included. */
  readonly streamTimeMs: number
  readonly nowMs: number
}

/** A record of either side, of a key that is there. */
export interface JoinArrival<K> {
  readonly side: Side
  readonly key: K
  readonly value: unknown
  /** Without a partner it is to be reported: the join keeps this side. */
  readonly isKept: boolean
}

/** A row that stayed alone. */
export interface Unmatched<K> {
  readonly side: Side
  readonly key: K
  readonly row: AnyRow
}

/** Rows reported, and rows deleted, by one record at most; the rest goes with the next ones. */
export const expiredMax = 1_000

export interface JoinStateOptions {
  /** Whole buckets are deleted: `takeDead` will be called. */
  readonly deletesBuckets: boolean
}

export abstract class JoinState<K> {
  /** The record added last met nobody, and is too late to wait: it is to be reported now. */
  isAlone = false
  protected readonly slots: Slots
  protected readonly window: JoinWindow<K>
  protected readonly bucketMs: number
  /** How far from a record lies what it may read, of either side: behind, and ahead if negative. */
  readonly #spans: readonly (readonly [behindMs: number, aheadMs: number])[]
  readonly #index: UnmatchedIndex
  readonly #keys: KeyCodec<K>
  readonly #written: WrittenRows
  #bounds = noBounds
  /** `undoCount` of the slots when they were read or written. */
  #boundsAsOf = -1
  /** Of the buckets. */
  readonly #prefixes = new TimePrefixes('r')

  constructor(slots: Slots, window: JoinWindow<K>, { deletesBuckets }: JoinStateOptions) {
    this.slots = slots
    this.window = window
    this.bucketMs = bucketMsOf(window)
    this.#spans = spansOf(window)
    this.#index = new UnmatchedIndex(slots, {
      isWaiting: (mark) => this.#isWaiting(mark),
      prefetch: (marks) => slots.prefetch(marks.map((mark) => this.#placeOfMark(mark))),
    })
    this.#keys = new KeyCodec(window.key)
    this.#written = new WrittenRows(slots, {
      kind: 'r',
      segmentMs: segmentMsOf(window),
      listsKeys: deletesBuckets,
    })
  }

  /** So old on arrival that it is to be dropped. */
  abstract isLate(side: Side, moment: JoinMoment): boolean
  /** Hands out rows that stayed alone, once each, and deletes dead ones; before `add`. */
  abstract expire(side: Side, moment: JoinMoment): Iterable<Unmatched<K>>
  /** Rows of this side that are older meet nobody any more. */
  protected abstract visibleFromMs(side: Side, streamTimeMs: number): number
  /** A row whose window ended before it came need not wait for a partner. */
  protected abstract isOverAtOnce(windowEndMs: number, streamTimeMs: number): boolean
  /** What is left of an unmatched row that was reported. */
  protected abstract afterReport(row: AnyRow): AnyRow | undefined

  /** Stores a row, marks the rows of the other side it meets and returns them, oldest first. */
  add(arrival: JoinArrival<K>, moment: JoinMoment): readonly AnyRow[] {
    const { side, value, isKept } = arrival
    const { timestampMs, streamTimeMs } = moment
    const slot = this.#keys.toSlot(arrival.key)
    const ownMs = this.bucketStartMs(timestampMs)
    const own = this.#placeOf(slot, ownMs)
    const range = this.#rangeOf(side, moment)
    const isNew = this.#written.isMissing(slot, ownMs)
    const places = this.#otherPlaces(slot, ownMs, range, moment)
    if (!isNew) places.push(own)
    const partners: AnyRow[] = []
    let ownSides: AnySides | undefined
    const found = this.#read(places)
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!
      const sides = found[i]
      if (sides === undefined) continue
      const met = this.#meet(sides, range, partners)
      if (place === own) ownSides = met
      else if (met !== sides) this.slots.put(place, met)
    }
    const isUnmatched = isKept && partners.length === 0
    this.isAlone = isUnmatched && this.isOverAtOnce(range.toMs, streamTimeMs)
    const matched = !isUnmatched || this.isAlone
    const row: AnyRow = { timestampMs, value: this.#keptOf(side, value), matched }
    const before = ownSides ?? noSides
    const rowsBefore = rowsOf(before, side)
    const stored = withRows(before, side, followedBy(rowsBefore, row))
    if (isNew) this.slots.putNew(own, stored)
    else this.slots.put(own, stored)
    this.#written.add(slot, ownMs, ownSides === undefined)
    if (!matched) this.#index.added(timestampMs, side, slot)
    const isFirstPair = partners.length === 1 && rowsBefore.length === 0
    if (isFirstPair) this.#letGo(own, places)
    this.#lowerBounds(timestampMs, matched)
    return partners.length > 1 ? partners.sort(oldestFirst) : partners
  }

  /** A hint: reads what `add` of these keys and times will read, in one call. */
  prefetch(records: readonly { readonly key: K; readonly timestampMs: number }[]): void {
    const places: string[] = []
    for (const { key, timestampMs } of records) {
      const slot = this.#keys.toSlot(key)
      for (const [behind, ahead] of this.#spans) {
        const fromMs = this.bucketStartMs(Math.max(0, timestampMs - behind))
        for (let atMs = fromMs; atMs <= timestampMs + ahead; atMs += this.bucketMs) {
          if (!this.#written.isMissing(slot, atMs)) places.push(this.#placeOf(slot, atMs))
        }
      }
    }
    this.slots.prefetch(places)
  }

  /**
   * Takes unmatched rows that are over out of the index, oldest first, right before left.
   *
   * @param untilMs  exclusive; no row from here on is over
   */
  protected takeUnmatched(
    untilMs: number,
    isOver: (side: Side, timestampMs: number) => boolean,
    limit: number,
  ): readonly Unmatched<K>[] {
    const bounds = this.bounds()
    const due: string[] = []
    let lowestMs = Infinity
    for (const mark of this.#waitingFrom(bounds)) {
      const timestampMs = msOfMark(mark)
      const isFull = due.length >= limit
      if (timestampMs < untilMs && !isFull && isOver(sideOfMark(mark), timestampMs)) due.push(mark)
      else lowestMs = Math.min(lowestMs, timestampMs)
      if (timestampMs >= untilMs || isFull) break
    }
    this.putBounds({ ...bounds, unmatchedLowestMs: lowestMs })
    return due.flatMap((mark) => this.#take(mark))
  }

  /** Side and time of the rows that are reported if they stay alone, in order of reporting. */
  protected *waiting(): Generator<readonly [Side, number]> {
    for (const mark of this.#waitingFrom(this.bounds())) yield [sideOfMark(mark), msOfMark(mark)]
  }

  #waitingFrom({ unmatchedLowestMs }: JoinBounds): Iterable<string> {
    return unmatchedLowestMs === Infinity ? [] : this.#index.from(unmatchedLowestMs)
  }

  /** Asked for twice a record; read anew once writes were undone. */
  protected bounds(): JoinBounds {
    const { undoCount } = this.slots
    if (this.#boundsAsOf !== undoCount) {
      this.#bounds = (this.slots.get(boundsSlot) as JoinBounds | undefined) ?? noBounds
      this.#boundsAsOf = undoCount
    }
    return this.#bounds
  }

  protected putBounds(bounds: JoinBounds): void {
    this.slots.put(boundsSlot, bounds)
    this.#bounds = bounds
    this.#boundsAsOf = this.slots.undoCount
  }

  /** Nothing lies before it but rows that are over. */
  protected forgetBelow(bucketStartMs: number): void {
    this.#written.forgetBelow(bucketStartMs)
  }

  /**
   * Places of the rows of a bucket; some may hold none, or come twice.
   *
   * @returns  at most `max`, fewer only if these are the last; undefined if they are not known
   */
  protected takeDead(bucketStartMs: number, max: number): readonly string[] | undefined {
    const prefix = this.#prefixes.of(bucketStartMs)
    return this.#written.takeKeys(bucketStartMs, max)?.map((slot) => prefix + slot)
  }

  protected bucketStartMs(timestampMs: number): number {
    return Math.floor(timestampMs / this.bucketMs) * this.bucketMs
  }

  #keptOf(side: Side, value: unknown): unknown {
    const { left, right } = this.window.keptOf
    return side === 'left' ? left(value) : right(value)
  }

  #isWaiting(mark: string): boolean {
    const timestampMs = msOfMark(mark)
    const sides = this.#sides(this.#placeOfMark(mark))
    const rows = rowsOf(sides, sideOfMark(mark))
    return rows.some((row) => row.timestampMs === timestampMs && !row.matched)
  }

  #take(mark: string): readonly Unmatched<K>[] {
    const timestampMs = msOfMark(mark)
    const side = sideOfMark(mark)
    const slot = keyOfMark(mark)
    const key = this.#keys.fromSlot(slot)
    const place = this.#placeOf(slot, timestampMs)
    const sides = this.#sides(place)
    const alone: Unmatched<K>[] = []
    const rows: AnyRow[] = []
    for (const row of rowsOf(sides, side)) {
      const isOver = row.timestampMs === timestampMs && !row.matched
      if (isOver) alone.push({ side, key, row })
      const left = isOver ? this.afterReport(row) : row
      if (left !== undefined) rows.push(left)
    }
    this.putSides(place, withRows(sides, side, rows))
    return alone
  }

  protected putSides(place: string, sides: AnySides): void {
    if (sides.left.length + sides.right.length === 0) this.slots.delete(place)
    else this.slots.put(place, sides)
  }

  /** Times of the rows of the other side that a record of this side meets. */
  #rangeOf(side: Side, { timestampMs, streamTimeMs }: JoinMoment): JoinRange {
    const other = otherSide(side)
    const startMs = Math.max(0, timestampMs - behindMs(side, this.window))
    const fromMs = Math.max(startMs, this.visibleFromMs(other, streamTimeMs))
    return { other, fromMs, toMs: timestampMs + aheadMs(side, this.window) }
  }

  /** Collects the rows that are met; returns the sides with these marked, or as they are. */
  #meet(sides: AnySides, range: JoinRange, partners: AnyRow[]): AnySides {
    const { other, fromMs, toMs } = range
    const rows = rowsOf(sides, other)
    let marked: AnyRow[] | undefined
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const { timestampMs } = row
      if (timestampMs < fromMs || timestampMs > toMs) continue
      partners.push(row)
      if (row.matched) continue
      marked ??= [...rows]
      marked[i] = { timestampMs, value: row.value, matched: true }
    }
    return marked === undefined ? sides : withRows(sides, other, marked)
  }

  /**
   * Buckets but the record's own where a partner may lie.
   *
   * No row is newer than stream time, so it is at most one bucket for most records.
   */
  #otherPlaces(slot: string, ownMs: number, range: JoinRange, moment: JoinMoment): string[] {
    const lastMs = Math.min(range.toMs, moment.streamTimeMs)
    const places: string[] = []
    for (let atMs = this.bucketStartMs(range.fromMs); atMs <= lastMs; atMs += this.bucketMs) {
      if (atMs === ownMs || this.#written.isMissing(slot, atMs)) continue
      places.push(this.#placeOf(slot, atMs))
    }
    return places
  }

  /** Most rows meet one partner: whatever comes still, for a few, is read from the engine. */
  #letGo(own: string, others: readonly string[]): void {
    this.slots.letGo(own)
    for (const place of others) if (place !== own) this.slots.letGo(place)
  }

  #read(places: readonly string[]): readonly (AnySides | undefined)[] {
    if (places.length === 0) return nothing
    if (places.length === 1) return [this.slots.get(places[0]!) as AnySides | undefined]
    return this.slots.getAll(places) as readonly (AnySides | undefined)[]
  }

  #placeOf(slot: string, timestampMs: number): string {
    return this.#prefixes.of(this.bucketStartMs(timestampMs)) + slot
  }

  #placeOfMark(mark: string): string {
    return this.#placeOf(keyOfMark(mark), msOfMark(mark))
  }

  #sides(place: string): AnySides {
    return (this.slots.get(place) as AnySides | undefined) ?? noSides
  }

  #lowerBounds(timestampMs: number, matched: boolean): void {
    const { unmatchedLowestMs, bucketLowestMs, deletedTo } = this.bounds()
    const isLowest = !matched && timestampMs < unmatchedLowestMs
    const startMs = this.bucketStartMs(timestampMs)
    const isDeletedFrom = deletedTo !== '' && startMs === bucketLowestMs
    if (!isLowest && startMs >= bucketLowestMs && !isDeletedFrom) return
    this.putBounds({
      unmatchedLowestMs: isLowest ? timestampMs : unmatchedLowestMs,
      bucketLowestMs: Math.min(bucketLowestMs, startMs),
      deletedTo: startMs <= bucketLowestMs ? '' : deletedTo,
    })
  }
}

/** One for both sides and the record's own place, unless its window leaves out its own time. */
const spansOf = (window: JoinWindow<unknown>): readonly (readonly [number, number])[] => {
  const { beforeMs, afterMs } = window
  if (beforeMs >= 0 && afterMs >= 0) return [[Math.max(beforeMs, afterMs), 0]]
  return [
    [0, 0],
    [beforeMs, Math.min(0, afterMs)],
    [afterMs, Math.min(0, beforeMs)],
  ]
}

const nothing: readonly never[] = []

/** So wide that three or four segments hold all rows that live. */
const segmentMsOf = (window: JoinWindow<unknown>): number => {
  const bucketMs = bucketMsOf(window)
  return bucketMs * Math.max(1, Math.ceil(window.graceMs / (3 * bucketMs)))
}

interface JoinRange {
  readonly other: Side
  readonly fromMs: number
  readonly toMs: number
}

const oldestFirst = (a: AnyRow, b: AnyRow): number => a.timestampMs - b.timestampMs
