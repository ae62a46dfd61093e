/**
 * The decoded values of one store of one task: cache, overlay of uncommitted writes, and reads.
 *
 * Operators read and write here while they process; the commit calls `seal` when it closes a
 * generation, `applied` once the engine holds it, `drop` when its transaction failed.
 * 1. A read takes the newest of dirty, committing, clean, engine; the committing values shadow the
 * engine, so it does not matter whether a commit in flight is visible there yet.
 * 2. At most one sealed generation is pending. 3. Everything here is synchronous.
 * 4. Knows bytes only through the codec, and nothing of serdes, topics or records.
 */

import { DeletedRun, DeletedRuns } from './deleted-runs.ts'
import { bytesOfValue, type RowValue } from './direct-value.ts'
import type { Cursor, Engine, ScanOptions } from './engine.ts'
import { bytesFromLatin1, prefixEnd, versionRowKey } from './key-layout.ts'
import { type Overlay, scanRows, type ScanRowsOptions, type SlotRange } from './scan-rows.ts'
import { SlotCache } from './slot-cache.ts'
import { SlotMemory } from './slot-memory.ts'
import { absent, type DirtyList, type Slot } from './slot.ts'
import { StoreCounters } from './store-counters.ts'
import { touchedAtOnce, touchSlots } from './touch-slots.ts'
import { UncommittedKeys } from './uncommitted-keys.ts'
import type { UndoLog } from './undo-log.ts'

export { type SlotRange }

/** Turns a stored value into bytes and back. `key` is the latin1 key, for error messages. */
export interface SlotCodec {
  encode(value: unknown, key: string): Uint8Array
  /** Optional, for speed: what stands for `encode`; any text in it is well-formed. */
  encodeRaw?(value: unknown, key: string): RowValue
  decode(bytes: Uint8Array, key: string): unknown
  /** Optional, for speed, of values that are text: `decode` of its UTF-8. */
  decodeText?(text: string, key: string): unknown
  /**
   * Optional: keys of marks, rows of one byte that exist exactly while this one has this value.
   *
   * They are written and deleted with it at the seal, where they changed; scans find those that are
   * committed. No other row may imply the same mark, and nobody may write one.
   */
  marks?(value: unknown, key: string): readonly string[]
}

export interface SlotsOptions {
  readonly engine: Engine
  /** Namespace of the store; see `key-layout.ts`. */
  readonly prefix: Uint8Array
  readonly codec: SlotCodec
  /** One per task, shared by all its stores. */
  readonly undo: UndoLog
  /** Bound of the cache; exceeded only by what one transaction writes. */
  readonly cachedSlotsMax: number
  /** Bound in bytes, shared with other stores; none if absent. */
  readonly memory?: SlotMemory
  /** Of the store, shared by its tasks. */
  readonly counters?: StoreCounters
}

/** One write of a sealed generation: a row for the engine and a record for the changelog. */
export interface SealedWrite {
  /** Without the prefix. */
  readonly key: Uint8Array
  /** Undefined deletes. */
  readonly value: Uint8Array | undefined
}

type TakeWrite = (key: string, value: RowValue | undefined) => void

const none: readonly string[] = []
const markBytes = Uint8Array.of(1)

export class Slots {
  readonly #engine: Engine
  readonly #prefix: Uint8Array
  readonly #codec: SlotCodec
  readonly #undo: UndoLog
  readonly #dirtyList: DirtyList = { slots: [] }
  readonly #cache: SlotCache
  readonly #deletedRuns = new DeletedRuns()
  readonly #memory: SlotMemory
  readonly #counters: StoreCounters
  /** The sealed generation, undefined if none is pending. */
  #committing: Slot[] | undefined
  readonly #uncommitted = new UncommittedKeys()
  /** Keys looked for in the engine so far: a measure of what the cache does not hold. */
  engineReads = 0
  /** Generations sealed so far. */
  sealCount = 0
  /** Of the value that `#read` returned last. */
  #readBytes = 0
  /** Grows when the engine's rows may have moved past a scan that is still open. */
  #epoch = 0
  #drops = 0

  constructor({ engine, prefix, codec, undo, cachedSlotsMax, ...shared }: SlotsOptions) {
    this.#engine = engine
    this.#prefix = prefix
    this.#codec = codec
    this.#undo = undo
    this.#counters = shared.counters ?? new StoreCounters()
    this.#memory = shared.memory ?? new SlotMemory()
    this.#cache = new SlotCache({
      slotsMax: cachedSlotsMax,
      memory: this.#memory,
      dirtyList: this.#dirtyList,
    })
  }

  /** Number of keys written since the last seal. */
  get dirtyCount(): number {
    return this.#dirtyList.slots.length
  }

  /** Changes whenever writes were undone: what was concluded from reads before may be wrong. */
  get undoCount(): number {
    return this.#undo.rollbacks + this.#drops
  }

  /** Grows when what was written since the last commit, or more, is forgotten. */
  get dropCount(): number {
    return this.#drops
  }

  /** How many bytes the store keeps in memory beside its rows: they count as rows do. */
  keepsBeside(bytes: number): void {
    this.#cache.keepsBeside(bytes)
  }

  /** Rows in the cache, written ones included, and what they take by estimate. */
  get cached(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#cache.size, bytes: this.#cache.bytes }
  }

  /**
   * The newest value, undefined if the key does not exist.
   *
   * The value belongs to the store: it must not be changed in place. A cached key costs one map
   * look-up, any other a read of the engine (2 to 10 µs): see `prefetch`.
   *
   * @param key  the key's bytes as a latin1 string
   */
  get(key: string): unknown {
    this.#counters.gets += 1
    const slot = this.#cache.get(key)
    if (slot === undefined) {
      if (this.#deletedRuns.has(key)) return undefined
      return this.#cache.insert(key, this.#readMissing(key), this.#readBytes).clean
    }
    return this.#newest(slot)
  }

  /**
   * @param value  anything but undefined, which would be a delete
   * @throws {RangeError} the one key that is reserved: a mistake of whoever made it
   */
  put(key: string, value: unknown): void {
    if (value === undefined) throw new TypeError('put(undefined): use delete')
    if (key === versionRowKey) throw new RangeError('put: this key is reserved for versions')
    this.#counters.puts += 1
    this.#write(key, value)
  }

  /**
   * A hint after `put` or `putNew`: nobody is likely to read the row again, so it leaves the cache
   * once the engine holds it. If it is read before, it stays.
   */
  letGo(key: string): void {
    const slot = this.#cache.get(key)
    if (slot !== undefined) slot.leaves = true
  }

  /**
   * As `put`, of a key that has no row for certain: if it is deleted before the generation is
   * sealed, nothing is written at all.
   */
  putNew(key: string, value: unknown): void {
    if (value === undefined) throw new TypeError('putNew(undefined): use delete')
    this.#counters.puts += 1
    if (this.#cache.get(key) === undefined) {
      const slot = this.#insertUnread(key)
      if (!this.#deletedRuns.has(key)) slot.clean = undefined
    }
    this.#write(key, value)
  }

  delete(key: string): void {
    this.#counters.deletes += 1
    this.#write(key, undefined)
  }

  /** As `deleteAll` of the first rows of a range; returns their keys, at most `limit`. */
  deleteFirst(range: SlotRange & { readonly limit: number }): readonly string[] {
    const keys = this.keys(range)
    this.deleteAll(keys)
    return keys
  }

  /**
   * Deletes rows for who will not ask for them again: they take no memory but that of their keys.
   *
   * @param keys  of rows that imply no marks; some may have no row
   */
  deleteAll(keys: readonly string[]): void {
    const slots = this.#cache.getAhead(keys)
    const unknown = slots.includes(undefined) ? keys.filter((_, i) => !slots[i]) : none
    for (let i = 0; i < keys.length; i++) if (slots[i] !== undefined) this.delete(keys[i]!)
    if (unknown.length === 0) return
    this.#counters.deletes += unknown.length
    const run = new DeletedRun(unknown)
    const slot = this.#deletedRuns.slotOf(run, this.#dirtyList)
    this.#undo.remember(slot)
    this.#dirtyList.slots.push(slot)
    slot.dirty = run
  }

  /** The row that scans do not show; the codec must know it by `versionRowKey`. */
  putVersions(value: unknown): void {
    this.#write(versionRowKey, value)
  }

  /** As `get` of each key, in one call of the engine for all that is not cached. */
  getAll(keys: readonly string[]): readonly unknown[] {
    const slots = keys.map((key) => this.#cache.get(key))
    if (slots.includes(undefined)) this.prefetch(keys)
    return slots.map((slot, i) => {
      if (slot === undefined) return this.get(keys[i]!)
      this.#counters.gets += 1
      return this.#newest(slot)
    })
  }

  /** Reads what is not cached in one call, 2 to 5 times cheaper than reads one by one. A hint. */
  prefetch(keys: readonly string[]): void {
    const wanted: Slot[] = []
    const slots = this.#cache.getAhead(keys)
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      let slot = slots[i] ?? this.#cache.get(key) // the same key may have come before
      if (slot !== undefined) slot.referenced = true
      else if (!this.#deletedRuns.has(key)) wanted.push((slot = this.#cache.insert(key, absent, 0)))
      slots[i] = slot
    }
    if (wanted.length === 0) return
    this.engineReads += wanted.length
    this.#counters.prefetched += wanted.length
    const found = this.#readMany(wanted.map(({ key }) => this.#fullKey(key)))
    for (let i = 0; i < wanted.length; i++) {
      const slot = wanted[i]! // evicted again, if the cache is smaller than what is wanted
      const row = found[i]
      slot.clean = row === undefined ? undefined : this.#decoded(row, slot.key)
      if (row !== undefined) this.#cache.charge(slot, row.length)
    }
  }

  /**
   * All rows of the range with their newest values, as of this call.
   *
   * Writes made while iterating are not seen. End it with `return` (as `for of` does) if not to
   * its end: an open cursor pins old data. A limit reads the rows at once; without one they are
   * read in chunks.
   */
  scan(range: SlotRange): IterableIterator<[string, unknown]> {
    this.#counters.ranges += 1
    const cursor = this.#engine.scan(this.#bounds(range))
    return scanRows({ ...this.#rowsOf(cursor), range, overlay: this.#overlay(range) })
  }

  /** The keys that `scan` would find, at once; no value is decoded. */
  keys(range: SlotRange): readonly string[] {
    const rows = {
      cursor: this.#engine.scan({ ...this.#bounds(range), keysOnly: true }),
      prefixBytes: this.#prefix.length,
      decode: () => true,
    }
    return Array.from(scanRows({ ...rows, range, overlay: this.#overlay(range) }), ([key]) => key)
  }

  /** The committed value, for interactive queries: neither dirty nor committing. */
  cleanGet(key: string): unknown {
    const slot = this.#cache.get(key)
    return slot === undefined || slot.clean === absent ? this.#read(key) : slot.clean
  }

  /** As `scan`, committed values only. */
  cleanScan(range: SlotRange): IterableIterator<[string, unknown]> {
    return scanRows({ ...this.#rowsOf(this.#engine.scan(this.#bounds(range))), range })
  }

  /** As `sealTo`, with the writes as a list of bytes. */
  seal(): readonly SealedWrite[] {
    const writes: SealedWrite[] = []
    this.sealTo((key, value) => {
      const bytes = value === undefined ? undefined : bytesOfValue(value)
      writes.push({ key: bytesFromLatin1(key), value: bytes })
    })
    return writes
  }

  /**
   * Closes the generation: dirty values become committing, each encoded exactly once.
   *
   * A codec that throws leaves everything as it was. A key that was known to be missing and is
   * missing again costs no write.
   *
   * @param take  gets each write: the key as `get` takes it, no value for a delete
   * @throws {Error} the generation before is still pending, or a record is still open: a bug
   */
  sealTo(take: TakeWrite): void {
    if (this.#committing !== undefined) throw new Error('seal: a generation is still pending')
    if (!this.#undo.isEmpty) throw new Error('seal: a record is still open (undo log not cleared)')
    const slots = this.#dirtyList.slots
    for (let i = 0; i < slots.length; i++) {
      if (i % touchedAtOnce === 0) touchSlots(slots, i)
      const slot = slots[i]!
      const { key, dirty, clean } = slot
      if (dirty instanceof DeletedRun) {
        this.#sealRun(dirty, take)
        continue
      }
      if (this.#codec.marks !== undefined) this.#sealMarks(slot, this.#codec.marks, take)
      if (dirty === undefined) {
        if (clean !== undefined) take(key, undefined)
        this.#cache.charge(slot, 0)
        continue
      }
      const encoded = this.#encoded(dirty, key)
      take(key, encoded)
      this.#cache.charge(slot, encoded.length)
    }
    for (const slot of slots) {
      slot.committing = slot.dirty
      slot.dirty = absent
    }
    this.#committing = slots
    this.#dirtyList.slots = []
    this.sealCount += 1
  }

  /** The engine holds the sealed generation now: its values become clean and may be evicted. */
  applied(): void {
    if (this.#committing === undefined) throw new Error('applied: no generation is pending')
    for (const slot of this.#committing) {
      slot.clean = slot.committing
      slot.committing = absent
      if (slot.leaves || slot.clean === undefined) this.#cache.evict(slot)
    }
    this.#endGeneration()
    this.#memory.trim()
  }

  /** The transaction failed: dirty and committing values vanish, reads start from the engine. */
  drop(): void {
    this.#drops += 1
    this.#undo.clear()
    for (const slot of this.#dirtyList.slots) slot.dirty = absent
    this.#dirtyList.slots = []
    for (const slot of this.#committing ?? []) {
      slot.committing = absent
      slot.clean = absent // whether the engine holds it is not known here
    }
    this.#endGeneration()
  }

  /** As `drop`, and forgets what was read: the rows were replaced by a restore. */
  clear(): void {
    this.drop()
    this.#cache.clear()
  }

  /** The task is closed: what was cached makes room for others. */
  release(): void {
    this.#cache.release()
  }

  /** The generation before is applied: what is clean, or else the engine has, is what was there. */
  #sealMarks(slot: Slot, marks: NonNullable<SlotCodec['marks']>, take: TakeWrite): void {
    const { key, dirty } = slot
    const before = slot.clean === absent ? this.#read(key) : slot.clean
    const were = before === undefined ? none : marks(before, key)
    const are = dirty === undefined ? none : marks(dirty, key)
    if (were.length + are.length === 0) return
    for (const mark of were) if (!are.includes(mark)) take(mark, undefined)
    for (const mark of are) if (!were.includes(mark)) take(mark, markBytes)
  }

  #sealRun({ keys, isRewritten }: DeletedRun, take: TakeWrite): void {
    for (const key of keys) {
      const slot = isRewritten ? this.#cache.get(key) : undefined
      if (slot === undefined || slot.dirty === absent) take(key, undefined)
    }
  }

  #write(key: string, value: unknown): void {
    const slot = this.#cache.get(key) ?? this.#insertLeaving(key)
    this.#undo.remember(slot)
    if (slot.dirty === absent) {
      this.#dirtyList.slots.push(slot)
      this.#uncommitted.touch(key)
    }
    slot.dirty = value
    slot.referenced = true
  }

  /** Who writes without having read is not likely to read it soon. */
  #insertLeaving(key: string): Slot {
    const slot = this.#insertUnread(key)
    slot.leaves = true
    return slot
  }

  #insertUnread(key: string): Slot {
    this.#deletedRuns.rewrites(key)
    return this.#cache.insert(key, absent, 0)
  }

  #newest(slot: Slot): unknown {
    slot.referenced = true
    slot.leaves = false
    if (slot.dirty !== absent) return slot.dirty
    if (slot.committing !== absent) return slot.committing
    if (slot.clean === absent) {
      if (this.#deletedRuns.has(slot.key)) return undefined
      slot.clean = this.#readMissing(slot.key)
      this.#cache.charge(slot, this.#readBytes)
    }
    return slot.clean
  }

  #readMissing(key: string): unknown {
    this.#counters.getMisses += 1
    return this.#read(key)
  }

  #read(key: string): unknown {
    this.engineReads += 1
    const bytes = this.#engine.get(this.#fullKey(key))
    this.#readBytes = bytes === undefined ? 0 : bytes.length
    return bytes === undefined ? undefined : this.#codec.decode(bytes, key)
  }

  #readMany(keys: readonly Buffer[]): (string | Uint8Array | undefined)[] {
    const isText = this.#codec.decodeText !== undefined
    return (isText ? this.#engine.getTexts?.(keys) : undefined) ?? this.#engine.getMany(keys)
  }

  #decoded(row: string | Uint8Array, key: string): unknown {
    const codec = this.#codec
    return typeof row === 'string' ? codec.decodeText!(row, key) : codec.decode(row, key)
  }

  #encoded(value: unknown, key: string): RowValue {
    const codec = this.#codec
    return codec.encodeRaw === undefined ? codec.encode(value, key) : codec.encodeRaw(value, key)
  }

  #fullKey(key: string): Buffer {
    const prefixBytes = this.#prefix.length
    const bytes = Buffer.allocUnsafe(prefixBytes + key.length)
    bytes.set(this.#prefix)
    bytes.write(key, prefixBytes, 'latin1')
    return bytes
  }

  #bounds({ gte, lt, reverse }: SlotRange): ScanOptions {
    return {
      gte: this.#fullKey(gte ?? ''),
      lt: lt === undefined ? prefixEnd(this.#prefix) : this.#fullKey(lt),
      reverse: reverse === true,
    }
  }

  /** Decodes rows of a cursor, or takes the cached value if it is that of the row for certain. */
  #rowsOf(cursor: Cursor): Pick<ScanRowsOptions, 'cursor' | 'prefixBytes' | 'decode'> {
    const epoch = this.#epoch
    const decode = (bytes: Uint8Array, key: string): unknown => {
      const slot = epoch === this.#epoch ? this.#cache.get(key) : undefined
      const known = slot !== undefined && slot.committing === absent ? slot.clean : absent
      return known === absent ? this.#codec.decode(bytes, key) : known
    }
    return { cursor, prefixBytes: this.#prefix.length, decode }
  }

  #overlay(range: SlotRange): Overlay {
    const deletedRuns = this.#deletedRuns.within(range.gte ?? '', range.lt)
    const keys = this.#uncommitted.ofScan(range, this.#committing ?? [], this.#dirtyList.slots)
    return { keys, deletedRuns, read: (key) => this.#overlaid(key) }
  }

  #overlaid(key: string): unknown {
    const slot = this.#cache.get(key)
    if (slot === undefined) return absent // rolled back, then evicted
    return slot.dirty === absent ? slot.committing : slot.dirty
  }

  #endGeneration(): void {
    this.#committing = undefined
    this.#uncommitted.forget()
    this.#deletedRuns.forgetEnded()
    this.#epoch++
  }
}
