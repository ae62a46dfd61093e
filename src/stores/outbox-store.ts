/**
 * External calls that are due, in flight or of unknown outcome: the durable side of `effect()`.
 *
 * Slot layout, big-endian; `seq` is `orderedMs`:
 * ```
 *   ['o'][keyBytes u32][key][seq] → [metaBytes u32][meta json][request]   one key's rows in order
 *   ['c']                         → [lastSeq f64][0 f64]
 * ```
 * 1. One counter per task gives every request its number: it never goes back, so neither do the
 * numbers of a key, and no counter per key is left behind. 2. A row lives until its outcome is
 * definite; `unknown` rows stay. 3. The row key names a row everywhere, in this task only.
 */

import { orderedMs } from '../../state/key-layout.ts'
import type { SlotCodec, Slots } from '../../state/slots.ts'
import type { Header, Headers } from '../record.ts'
import type { Serde, Serdes } from '../serde/serde.ts'
import { boundsCodec } from './fixed-codecs.ts'
import { KeyCodec, orderedU32, u32FromOrdered } from './key-codec.ts'
import type { Store } from './store.ts'

export interface OutboxRow<V> {
  /** Numbers the requests of a task from 1, in the order of their records. */
  readonly seq: number
  /** The same for every attempt, across restarts and instances. */
  readonly idempotencyKey: string
  readonly request: V
  /** Time and headers of the record that asked. */
  readonly timestampMs: number
  readonly headers: Headers
  /** Attempts known to the store: those of rounds that ended unknown. */
  readonly attempts: number
  readonly state: 'pending' | 'unknown'
}

/** A row with its address. */
export interface OutboxEntry<K, V> extends OutboxRow<V> {
  readonly rowKey: string
  readonly key: K
}

/** Committed rows; what a query sees. */
export interface OutboxReader<K, V> {
  row(rowKey: string): OutboxEntry<K, V> | undefined
  /** Every row; those of one key together, in the order of their requests. */
  rows(): Iterable<OutboxEntry<K, V>>
}

export interface OutboxState<K, V> extends OutboxReader<K, V> {
  /** The number the next request gets. */
  nextSeq(): number
  /** @returns the row key */
  add(key: K, row: Omit<OutboxRow<V>, 'attempts' | 'state'>): string
  /** Keeps the row, to be asked again. */
  markUnknown(rowKey: string, attempts: number): void
  remove(rowKey: string): void
}

export interface OutboxStore<K, V>
  extends Store<OutboxState<K, V>, OutboxReader<K, V>>, Serdes<K, V> {
  readonly kind: 'outbox'
}

/**
 * Names an outbox.
 *
 * @param name  of the store and of the effect's node; unique and stable, since default
 *              idempotency keys carry it
 * @param serdes  of the record's key and of the request
 * @example     const charges = outboxStore('charges', { key: utf8, value: json<Charge>() })
 */
export const outboxStore = <K, V>(
  name: string,
  { key, value }: Serdes<K, V>,
): OutboxStore<K, V> => ({
  name,
  kind: 'outbox',
  key,
  value,
  layout: `outbox/1 key=${key.format} request=${value.format}`,
  changelog: { cleanupPolicy: 'compact' },
  codec: outboxCodec(value),
  open: (slots) => new OutboxSlots<K, V>(slots, key),
  reader: (slots) => {
    const keys = new KeyCodec(key)
    return {
      row: (rowKey) => entryOf(keys, rowKey, slots.cleanGet(rowKey) as OutboxRow<V> | undefined),
      rows: () => entriesOf(keys, slots.cleanScan(allRows)),
    }
  },
})

const counterKey = 'c'
const allRows = { gte: 'o', lt: 'p' } as const

class OutboxSlots<K, V> implements OutboxState<K, V> {
  readonly #slots: Slots
  readonly #keys: KeyCodec<K>

  constructor(slots: Slots, key: Serde<K>) {
    this.#slots = slots
    this.#keys = new KeyCodec(key)
  }

  nextSeq(): number {
    return ((this.#slots.get(counterKey) as number | undefined) ?? 0) + 1
  }

  add(key: K, row: Omit<OutboxRow<V>, 'attempts' | 'state'>): string {
    const slot = this.#keys.toSlot(key)
    const rowKey = `o${orderedU32(slot.length)}${slot}${orderedMs(row.seq)}`
    this.#slots.put(counterKey, row.seq)
    this.#slots.put(rowKey, { ...row, attempts: 0, state: 'pending' } satisfies OutboxRow<V>)
    return rowKey
  }

  row(rowKey: string): OutboxEntry<K, V> | undefined {
    return entryOf(this.#keys, rowKey, this.#slots.get(rowKey) as OutboxRow<V> | undefined)
  }

  rows(): Iterable<OutboxEntry<K, V>> {
    return entriesOf(this.#keys, this.#slots.scan(allRows))
  }

  markUnknown(rowKey: string, attempts: number): void {
    const row = this.#slots.get(rowKey) as OutboxRow<V> | undefined
    if (row === undefined) return
    this.#slots.put(rowKey, { ...row, attempts, state: 'unknown' } satisfies OutboxRow<V>)
  }

  remove(rowKey: string): void {
    this.#slots.delete(rowKey)
  }
}

const entryOf = <K, V>(
  keys: KeyCodec<K>,
  rowKey: string,
  row: OutboxRow<V> | undefined,
): OutboxEntry<K, V> | undefined => {
  if (row === undefined) return undefined
  const slot = rowKey.slice(5, 5 + u32FromOrdered(rowKey, 1))
  return { ...row, rowKey, key: keys.fromSlot(slot) }
}

const entriesOf = function* <K, V>(
  keys: KeyCodec<K>,
  scanned: Iterable<[string, unknown]>,
): Generator<OutboxEntry<K, V>> {
  for (const [rowKey, row] of scanned) yield entryOf(keys, rowKey, row as OutboxRow<V>)!
}

interface Meta extends Omit<OutboxRow<unknown>, 'request' | 'headers'> {
  /** Key and value, the value in base64. */
  readonly headers: readonly (readonly [string, string | null])[]
}

const outboxCodec = <V>(request: Serde<V>): SlotCodec => ({
  encode(stored, slot) {
    if (slot === counterKey) return boundsCodec.encode([stored as number, 0])
    const row = stored as OutboxRow<V>
    const meta = Buffer.from(JSON.stringify(metaOf(row)))
    const metaBytes = Buffer.allocUnsafe(4)
    metaBytes.writeUInt32BE(meta.length)
    return Buffer.concat([metaBytes, meta, request.encode(row.request)])
  },
  decode(bytes, slot) {
    if (slot === counterKey) return boundsCodec.decode(bytes)[0]
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const requestAt = 4 + buffer.readUInt32BE(0)
    const meta = JSON.parse(buffer.toString('utf8', 4, requestAt)) as Meta
    const headers = meta.headers.map(headerOf)
    return { ...meta, headers, request: request.decode(bytes.subarray(requestAt)) }
  },
})

const metaOf = <V>(row: OutboxRow<V>): Meta => ({
  seq: row.seq,
  idempotencyKey: row.idempotencyKey,
  timestampMs: row.timestampMs,
  attempts: row.attempts,
  state: row.state,
  headers: row.headers.map(({ key, value }) => [
    key,
    value === null ? null : Buffer.from(value).toString('base64'),
  ]),
})

const headerOf = ([key, value]: readonly [string, string | null]): Header => ({
  key,
  value: value === null ? null : Buffer.from(value, 'base64'),
})
