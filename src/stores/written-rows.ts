/**
 * Which rows of a store of time buckets are surely missing, and which a dead bucket has, without
 * asking the engine for them.
 *
 * Owned by `JoinState`, which tells it of every row it writes: most records look for partners in
 * buckets where their key never was. 1. Rows that were there before are not known: buckets up to
 * the last that holds a row at the first question, or after a failed commit, say "maybe", and their
 * rows are not listed. 2. What an undone record wrote stays: a needless look-up or delete, no
 * mistake. 3. Buckets share the filter of a segment of time, so that their number does not matter.
 */

import { BloomFilter, hashOfText, mixed } from '../../state/bloom-filter.ts'
import { msFromOrdered } from '../../state/key-layout.ts'
import type { Slots } from '../../state/slots.ts'
import { KeyList } from './key-list.ts'

/** Of one task; about a million rows. A segment beyond it says "maybe". */
const filterBytesMax = 2 * 1024 * 1024
/** Of one task; some hundred thousand keys. A segment beyond it lists none. */
const listBytesMax = 2 * 1024 * 1024
const expectedMin = 256

export interface WrittenRowsOptions {
  /** First character of the slots of rows; `orderedMs` of their bucket follows. */
  readonly kind: string
  /** A multiple of the width of a bucket; a handful of segments should hold all that lives. */
  readonly segmentMs: number
  /** Whether `takeKeys` will be called. */
  readonly listsKeys: boolean
}

/** By bucket: all its rows, or undefined if they are not known. */
type Lists = Map<number, KeyList | undefined>

interface Segment {
  readonly filter: BloomFilter
  /** Undefined: the rows of no bucket are known. */
  lists: Lists | undefined
}

export class WrittenRows {
  readonly #slots: Slots
  readonly #kind: string
  readonly #segmentMs: number
  readonly #listsKeys: boolean
  /** By number, a small integer that a Map finds sooner than a time; undefined if given up. */
  readonly #segments = new Map<number, Segment | undefined>()
  /** Every row of a segment from this one on is in its filter. */
  #completeFrom = -Infinity
  /** Of the slots, when that was found out. */
  #dropCount = -1
  #filterBytes = 0
  #listBytes = 0
  /** Asked for last, and its hash: buckets are asked for the same key one after the other. */
  #slot = ''
  #slotHash = hashOfText('')

  constructor(slots: Slots, { kind, segmentMs, listsKeys }: WrittenRowsOptions) {
    this.#slots = slots
    this.#kind = kind
    this.#segmentMs = segmentMs
    this.#listsKeys = listsKeys
  }

  /**
   * True if the key surely has no row in the bucket.
   *
   * @param slot  the key's
   */
  isMissing(slot: string, bucketStartMs: number): boolean {
    if (this.#dropCount !== this.#slots.dropCount) this.#beginAnew()
    const at = this.#segmentOf(bucketStartMs)
    if (at < this.#completeFrom) return false
    const segment = this.#segments.get(at)
    if (segment === undefined) return !this.#segments.has(at)
    return !segment.filter.has(this.#hashOf(slot, bucketStartMs))
  }

  /**
   * Before or after the row is written, by the same record.
   *
   * @param isNew  the key had no row in the bucket
   */
  add(slot: string, bucketStartMs: number, isNew: boolean): void {
    const at = this.#segmentOf(bucketStartMs)
    let segment = this.#segments.get(at)
    if (segment === undefined) {
      if (this.#segments.has(at) || at < this.#completeFrom) return
      segment = this.#open(at)
    }
    if (isNew && segment.lists !== undefined) this.#list(segment.lists, bucketStartMs, slot)
    const { filter } = segment
    const { bytes } = filter
    filter.add(this.#hashOf(slot, bucketStartMs))
    if (filter.bytes !== bytes) this.#countFilter(filter.bytes - bytes, at)
  }

  /**
   * Keys of the rows of a bucket, for who deletes them; some may have no row, or come twice.
   *
   * @returns  at most `max`, fewer only if these are the last; undefined if they are not known
   */
  takeKeys(bucketStartMs: number, max: number): readonly string[] | undefined {
    if (this.#dropCount !== this.#slots.dropCount) this.#beginAnew()
    const at = this.#segmentOf(bucketStartMs)
    const lists = this.#segments.get(at)?.lists
    const list = lists?.get(bucketStartMs)
    if (lists === undefined || list === undefined) return undefined
    const { undoCount } = this.#slots
    const isUndone = list.takenAt !== undefined && list.takenAt !== undoCount
    list.takenAt = undoCount
    const listBytes = list.bytes
    const slots = isUndone ? undefined : list.take(max)
    const isOver = slots === undefined || slots.length < max
    if (isOver) lists.set(bucketStartMs, undefined)
    this.#countLists((isOver ? 0 : list.bytes) - listBytes)
    return slots
  }

  /** Rows of buckets before it are of no interest any more: they say "maybe". */
  forgetBelow(bucketStartMs: number): void {
    const from = this.#segmentOf(bucketStartMs)
    if (from <= this.#completeFrom) return
    this.#completeFrom = from
    for (const [at, segment] of this.#segments) {
      if (at >= from) continue
      this.#segments.delete(at)
      this.#giveUp(segment)
    }
    this.#tellBytes()
  }

  #segmentOf(bucketStartMs: number): number {
    return Math.floor(bucketStartMs / this.#segmentMs)
  }

  #hashOf(slot: string, bucketStartMs: number): number {
    if (slot !== this.#slot) {
      this.#slot = slot
      this.#slotHash = hashOfText(slot)
    }
    return mixed(this.#slotHash, bucketStartMs)
  }

  /** As many rows are expected as the fullest segment has. */
  #open(at: number): Segment {
    let expected = expectedMin
    for (const segment of this.#segments.values()) {
      expected = Math.max(expected, segment?.filter.count ?? 0)
    }
    const filter = new BloomFilter(expected)
    const segment = { filter, lists: this.#listsKeys ? new Map() : undefined }
    this.#segments.set(at, segment)
    this.#countFilter(filter.bytes, at)
    return segment
  }

  #list(lists: Lists, bucketStartMs: number, slot: string): void {
    let list = lists.get(bucketStartMs)
    const bytes = list?.bytes ?? 0
    if (list === undefined) {
      if (lists.has(bucketStartMs)) return
      lists.set(bucketStartMs, (list = new KeyList()))
    }
    list.push(slot)
    if (list.bytes !== bytes) this.#countLists(list.bytes - bytes)
  }

  #countFilter(bytes: number, at: number): void {
    this.#filterBytes += bytes
    if (this.#filterBytes > filterBytesMax) {
      this.#giveUp(this.#segments.get(at))
      this.#segments.set(at, undefined)
    }
    this.#tellBytes()
  }

  #countLists(bytes: number): void {
    this.#listBytes += bytes
    if (this.#listBytes > listBytesMax) this.#forgetLists()
    else this.#tellBytes()
  }

  #giveUp(segment: Segment | undefined): void {
    if (segment === undefined) return
    this.#filterBytes -= segment.filter.bytes
    for (const list of segment.lists?.values() ?? []) this.#listBytes -= list?.bytes ?? 0
    segment.lists = undefined
  }

  #tellBytes(): void {
    this.#slots.keepsBeside(this.#filterBytes + this.#listBytes)
  }

  /** Of all segments so far: the next one begins to list again. */
  #forgetLists(): void {
    for (const segment of this.#segments.values()) if (segment) segment.lists = undefined
    this.#listBytes = 0
    this.#tellBytes()
  }

  /** Filters stay: what they hold may be on its way into the engine. */
  #beginAnew(): void {
    const [newest] = this.#slots.keys({ gte: this.#kind, lt: endOf(this.#kind), ...last })
    this.#dropCount = this.#slots.dropCount
    this.#forgetLists()
    if (newest === undefined) return
    const newestAt = this.#segmentOf(msFromOrdered(newest, this.#kind.length))
    this.#completeFrom = Math.max(this.#completeFrom, newestAt + 1)
  }
}

const last = { reverse: true, limit: 1 } as const

const endOf = (kind: string): string => String.fromCharCode(kind.charCodeAt(0) + 1)
