/**
 * The rows of a windowed join: who meets whom, and what is over.
 *
 * Opened once per task; called by `left-join-within.ts` for each record.
 * ```
 *   kept from = stream time − within − grace, rounded down to a step (≤ 1 s, a 64th of the span)
 * ```
 * 1. A row below `kept from` is dead: it meets nobody any more and, if it is an unmatched left
 * one, is handed out once by `expire`. So a left row is joined or reported, never both. 2. Rows are
 * reported up to one step late, never early; a partner that is at most `graceMs` late is found.
 * 3. `bounds` bound from below what is left to report and to delete, so a record that closes
 * nothing costs one comparison. 4. Everything lives in slots: an undone record leaves no trace.
 */

import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import { type Slots } from '../../state/slots.ts'
import { type Serde } from '../serde/serde.ts'
import { KeyCodec } from './key-codec.ts'

export interface JoinRow<T> {
  readonly timestampMs: number
  readonly value: T
  /** A left row that met a partner is not reported when it ends; unused on the right. */
  readonly matched: boolean
}

/** Rows of one key in one bucket, in order of arrival. */
export interface JoinSides<A, B> {
  readonly left: readonly JoinRow<A>[]
  readonly right: readonly JoinRow<B>[]
}

export interface JoinBounds {
  readonly unmatchedLowestMs: number
  readonly bucketLowestMs: number
}

/** Where and when a record stands. */
export interface JoinMoment {
  readonly timestampMs: number
  readonly streamTimeMs: number
}

export interface JoinWindow<K> {
  readonly key: Serde<K>
  readonly withinMs: number
  readonly graceMs: number
}

const noSides: JoinSides<never, never> = { left: [], right: [] }
const noBounds: JoinBounds = { unmatchedLowestMs: Infinity, bucketLowestMs: Infinity }
const boundsKey = 'b'
const stepMsMax = 1_000
/** Rows reported, and rows deleted, by one record at most; the rest goes with the next ones. */
const expiredMax = 1_000
const prefixesMax = 16

export class JoinState<K, A, B> {
  readonly #slots: Slots
  readonly #keys: KeyCodec<K>
  readonly #withinMs: number
  readonly #retainMs: number
  readonly #bucketMs: number
  readonly #stepMs: number
  /** Of the last buckets used: records of one time share them. */
  readonly #prefixes = new Map<number, string>()

  constructor(slots: Slots, { key, withinMs, graceMs }: JoinWindow<K>) {
    this.#slots = slots
    this.#keys = new KeyCodec(key)
    this.#withinMs = withinMs
    this.#retainMs = withinMs + graceMs
    this.#bucketMs = bucketMsOf(withinMs)
    this.#stepMs = Math.min(stepMsMax, Math.max(1, Math.floor(this.#retainMs / 64)))
  }

  /** Older than stream time − within − grace: its partners are gone, so it is dropped. */
  isLate(timestampMs: number, streamTimeMs: number): boolean {
    return timestampMs + this.#retainMs < streamTimeMs
  }

  /** Stores a left row and returns the right rows it meets, oldest first. */
  addLeft(key: K, value: A, moment: JoinMoment): readonly JoinRow<B>[] {
    const slot = this.#keys.toSlot(key)
    const own = this.#placeOf(slot, moment.timestampMs)
    let ownSides: JoinSides<A, B> = noSides
    const partners: JoinRow<B>[] = []
    for (const place of this.#placesNear(slot, own, moment)) {
      const sides = this.#sides(place)
      if (place === own) ownSides = sides
      for (const row of sides.right) if (this.#meets(row, moment)) partners.push(row)
    }
    const { timestampMs } = moment
    const matched = partners.length > 0
    const left = [...ownSides.left, { timestampMs, value, matched }]
    this.#slots.put(own, { left, right: ownSides.right } satisfies JoinSides<A, B>)
    if (!matched) this.#slots.put(`u${orderedMs(timestampMs)}${slot}`, true)
    this.#lowerBounds(timestampMs, matched)
    return oldestFirst(partners)
  }

  /** Stores a right row, marks the left rows it meets and returns them, oldest first. */
  addRight(key: K, value: B, moment: JoinMoment): readonly JoinRow<A>[] {
    const slot = this.#keys.toSlot(key)
    const own = this.#placeOf(slot, moment.timestampMs)
    let ownSides: JoinSides<A, B> = noSides
    const partners: JoinRow<A>[] = []
    for (const place of this.#placesNear(slot, own, moment)) {
      const { left, right } = this.#sides(place)
      const marked = this.#mark(slot, { left, moment, partners })
      if (place === own) ownSides = { left: marked, right }
      else if (marked !== left) this.#slots.put(place, { left: marked, right })
    }
    const { timestampMs } = moment
    const right = [...ownSides.right, { timestampMs, value, matched: true }]
    this.#slots.put(own, { left: ownSides.left, right } satisfies JoinSides<A, B>)
    this.#lowerBounds(timestampMs, true)
    return oldestFirst(partners)
  }

  /** Collects the left rows that are met; returns them marked, or the same list if none is new. */
  #mark(
    slot: string,
    {
      left,
      moment,
      partners,
    }: {
      readonly left: readonly JoinRow<A>[]
      readonly moment: JoinMoment
      readonly partners: JoinRow<A>[]
    },
  ): readonly JoinRow<A>[] {
    let marked: JoinRow<A>[] | undefined
    for (let i = 0; i < left.length; i++) {
      const row = left[i]!
      if (!this.#meets(row, moment)) continue
      partners.push(row)
      if (row.matched) continue
      marked ??= [...left]
      marked[i] = { ...row, matched: true }
      this.#slots.delete(`u${orderedMs(row.timestampMs)}${slot}`)
    }
    return marked ?? left
  }

  /** Hands out the unmatched left rows that are over, oldest first, and deletes dead rows. */
  *expire(streamTimeMs: number): Generator<readonly [K, JoinRow<A>]> {
    const keptFromMs = this.#keptFromMs(streamTimeMs)
    const { unmatchedLowestMs, bucketLowestMs } = this.#bounds()
    if (unmatchedLowestMs < keptFromMs) yield* this.#report(keptFromMs)
    else if (bucketLowestMs + this.#bucketMs <= keptFromMs) this.#deleteBuckets(keptFromMs)
  }

  *#report(keptFromMs: number): Generator<readonly [K, JoinRow<A>]> {
    const { unmatchedLowestMs: fromMs, bucketLowestMs } = this.#bounds()
    const due = [
      ...this.#slots.scan({
        gte: `u${orderedMs(fromMs)}`,
        lt: `u${orderedMs(keptFromMs)}`,
        limit: expiredMax,
      }),
    ]
    const isDrained = due.length < expiredMax
    const lastMs = isDrained ? keptFromMs : msFromOrdered(due[expiredMax - 1]![0], 1)
    const unmatchedLowestMs = isDrained ? this.#firstUnmatchedMs(keptFromMs) : lastMs
    this.#putBounds({ unmatchedLowestMs, bucketLowestMs })
    for (const [unmatched] of due) {
      const timestampMs = msFromOrdered(unmatched, 1)
      const slot = unmatched.slice(9)
      this.#slots.delete(unmatched)
      const key = this.#keys.fromSlot(slot)
      for (const row of this.#end(this.#placeOf(slot, timestampMs), timestampMs)) yield [key, row]
    }
  }

  /** Removes the unmatched left rows of one time and returns them. */
  #end(place: string, timestampMs: number): readonly JoinRow<A>[] {
    const { left, right } = this.#sides(place)
    const isOver = (row: JoinRow<A>): boolean => row.timestampMs === timestampMs && !row.matched
    const kept = left.filter((row) => !isOver(row))
    if (kept.length + right.length === 0) this.#slots.delete(place)
    else this.#slots.put(place, { left: kept, right } satisfies JoinSides<A, B>)
    return left.filter(isOver)
  }

  #firstUnmatchedMs(fromMs: number): number {
    for (const [first] of this.#slots.scan({ gte: `u${orderedMs(fromMs)}`, lt: 'v', limit: 1 })) {
      return msFromOrdered(first, 1)
    }
    return Infinity
  }

  /** Whole buckets below the first that may hold a living row; their left rows are reported. */
  #deleteBuckets(keptFromMs: number): void {
    const { unmatchedLowestMs, bucketLowestMs } = this.#bounds()
    const endMs = Math.floor(keptFromMs / this.#bucketMs) * this.#bucketMs
    const dead = [
      ...this.#slots.scan({
        gte: `r${orderedMs(bucketLowestMs)}`,
        lt: `r${orderedMs(endMs)}`,
        limit: expiredMax,
      }),
    ]
    for (const [place] of dead) this.#slots.delete(place)
    const last = dead.length < expiredMax ? undefined : dead[expiredMax - 1]![0]
    const lowestMs = last === undefined ? endMs : msFromOrdered(last, 1)
    this.#putBounds({ unmatchedLowestMs, bucketLowestMs: lowestMs })
  }

  #keptFromMs(streamTimeMs: number): number {
    return Math.floor((streamTimeMs - this.#retainMs) / this.#stepMs) * this.#stepMs
  }

  #meets(row: JoinRow<unknown>, { timestampMs, streamTimeMs }: JoinMoment): boolean {
    return (
      Math.abs(row.timestampMs - timestampMs) <= this.#withinMs
      && row.timestampMs >= this.#keptFromMs(streamTimeMs)
    )
  }

  /**
   * Buckets that may hold a living partner, in order of time; `own` is always one of them.
   *
   * No row is newer than stream time, so it is two buckets for most records.
   */
  #placesNear(slot: string, own: string, moment: JoinMoment): readonly string[] {
    const { timestampMs, streamTimeMs } = moment
    const ownMs = this.#bucketStartMs(timestampMs)
    const keptFromMs = Math.min(timestampMs, this.#keptFromMs(streamTimeMs))
    const fromMs = Math.max(0, timestampMs - this.#withinMs, keptFromMs)
    const toMs = Math.min(timestampMs + this.#withinMs, Math.max(timestampMs, streamTimeMs))
    const places: string[] = []
    for (let atMs = this.#bucketStartMs(fromMs); atMs <= toMs; atMs += this.#bucketMs) {
      places.push(atMs === ownMs ? own : this.#placeOf(slot, atMs))
    }
    if (places.length > 1) this.#slots.prefetch(places)
    return places
  }

  #placeOf(slot: string, timestampMs: number): string {
    const startMs = this.#bucketStartMs(timestampMs)
    let prefix = this.#prefixes.get(startMs)
    if (prefix === undefined) {
      if (this.#prefixes.size >= prefixesMax) this.#prefixes.clear()
      prefix = `r${orderedMs(startMs)}`
      this.#prefixes.set(startMs, prefix)
    }
    return prefix + slot
  }

  #bucketStartMs(timestampMs: number): number {
    return Math.floor(timestampMs / this.#bucketMs) * this.#bucketMs
  }

  #sides(place: string): JoinSides<A, B> {
    return (this.#slots.get(place) as JoinSides<A, B> | undefined) ?? noSides
  }

  #lowerBounds(timestampMs: number, matched: boolean): void {
    const { unmatchedLowestMs, bucketLowestMs } = this.#bounds()
    const isLowest = !matched && timestampMs < unmatchedLowestMs
    if (!isLowest && timestampMs >= bucketLowestMs) return
    this.#putBounds({
      unmatchedLowestMs: isLowest ? timestampMs : unmatchedLowestMs,
      bucketLowestMs: Math.min(bucketLowestMs, this.#bucketStartMs(timestampMs)),
    })
  }

  #bounds(): JoinBounds {
    return (this.#slots.get(boundsKey) as JoinBounds | undefined) ?? noBounds
  }

  #putBounds(bounds: JoinBounds): void {
    this.#slots.put(boundsKey, bounds)
  }
}

/** Width of the buckets: so wide that a record's partners lie in three of them. */
export const bucketMsOf = (withinMs: number): number => Math.max(1, Math.ceil(withinMs))

const oldestFirst = <T>(rows: JoinRow<T>[]): readonly JoinRow<T>[] =>
  rows.length > 1 ? rows.sort((a, b) => a.timestampMs - b.timestampMs) : rows
