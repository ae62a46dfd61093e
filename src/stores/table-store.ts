/**
 * One value per key and the event time it belongs to: the store of tables and of aggregates.
 *
 * Slot layout: `[key]` → `[timestampMs u64 big-endian][value]`. It differs from a key-value store
 * by the time alone: results of an aggregate and of a join carry the highest time that went into
 * them, which must outlive the record that brought it.
 */

import type { SlotCodec, Slots } from '../../state/slots.ts'
import type { Serde, Serdes } from '../serde/serde.ts'
import { KeyCodec } from './key-codec.ts'
import { type KeyRangeOptions, keySlotRange } from './key-range.ts'
import { cleanView, type SlotView } from './slot-view.ts'
import type { Store } from './store.ts'
import { type StoreVersion, versionFields } from './store-version.ts'

/** A value with its event time. */
export interface Timestamped<V> {
  readonly value: V
  readonly timestampMs: number
}

/**
 * What became of a row that was put into a table.
 *
 * `latest`: it is the value of its key now; `older`: it went into the history of a versioned store,
 * behind a later one; `expired`: it is older than that history and was not stored.
 */
export type PutResult = 'latest' | 'older' | 'expired'

/** Committed rows; what a query sees. */
export interface TableReader<K, V> {
  /** `undefined` if the key has no value. */
  get(key: K): V | undefined
  /** As `get`, with the event time. */
  row(key: K): Timestamped<V> | undefined
  /** Rows in the order of their encoded keys; costs a seek, nothing to do per record. */
  range(options?: KeyRangeOptions<K>): Iterable<readonly [K, Timestamped<V>]>
}

/** Reads see the writes of the record in flight; a record that fails leaves none of them. */
export interface TableRows<K, V> extends TableReader<K, V> {
  /** Replaces value and time, `undefined` deletes; the store owns the value from now on. */
  put(key: K, value: V | undefined, timestampMs: number): PutResult
  /** A hint: reads these keys in one call, where the following gets would make one each. */
  prefetch(keys: readonly K[]): void
}

export interface TableStore<K, V> extends Store<TableRows<K, V>, TableReader<K, V>>, Serdes<K, V> {
  readonly kind: 'table'
}

/**
 * Names the store of a table or an aggregate.
 *
 * @param name  unique in the application and stable: the changelog is `<applicationId>-<name>-…`
 * @throws {RangeError} `version` is no whole number from 1
 * @example     const accounts = tableStore('accounts', { key: utf8, value: json<Account>() })
 */
export const tableStore = <K, V>(
  name: string,
  { key, value, ...version }: Serdes<K, V> & StoreVersion<NoInfer<V>>,
): TableStore<K, V> => ({
  name,
  kind: 'table',
  key,
  value,
  layout: `table/1 key=${key.format} value=${value.format}`,
  changelog: { cleanupPolicy: 'compact' },
  ...versionFields(name, version, { value, codecOf: timedCodec }),
  open: (slots) => new TableSlots<K, V>(slots, key),
  reader: (slots) => new TableView<K, V>(key, cleanView(slots)),
})

/** `[timestampMs u64 big-endian][value]`: a value with its time as the bytes of one row. */
export const timedCodec = <V>(serde: Serde<V>): SlotCodec => ({
  encode: (stored) => {
    const { value, timestampMs } = stored as Timestamped<V>
    const valueBytes = serde.encode(value)
    const bytes = Buffer.allocUnsafe(timeBytes + valueBytes.length)
    bytes.writeBigUInt64BE(BigInt(timestampMs), 0)
    bytes.set(valueBytes, timeBytes)
    return bytes
  },
  decode: (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const value = serde.decode(bytes.subarray(timeBytes))
    return { value, timestampMs: Number(view.getBigUint64(0)) } satisfies Timestamped<V>
  },
})

const timeBytes = 8

class TableView<K, V> implements TableReader<K, V> {
  protected readonly keys: KeyCodec<K>
  readonly #view: SlotView

  constructor(key: Serde<K>, view: SlotView) {
    this.keys = new KeyCodec(key)
    this.#view = view
  }

  get(key: K): V | undefined {
    return this.row(key)?.value
  }

  row(key: K): Timestamped<V> | undefined {
    return this.#view.get(this.keys.toSlot(key)) as Timestamped<V> | undefined
  }

  *range(options: KeyRangeOptions<K> = {}): Generator<readonly [K, Timestamped<V>]> {
    for (const [slot, row] of this.#view.scan(keySlotRange(this.keys, options))) {
      yield [this.keys.fromSlot(slot), row as Timestamped<V>]
    }
  }
}

class TableSlots<K, V> extends TableView<K, V> implements TableRows<K, V> {
  readonly #slots: Slots

  constructor(slots: Slots, key: Serde<K>) {
    super(key, slots)
    this.#slots = slots
  }

  put(key: K, value: V | undefined, timestampMs: number): PutResult {
    const slot = this.keys.toSlot(key)
    if (value === undefined) this.#slots.delete(slot)
    else this.#slots.put(slot, { value, timestampMs } satisfies Timestamped<V>)
    return 'latest'
  }

  prefetch(keys: readonly K[]): void {
    this.#slots.prefetch(keys.map((key) => this.keys.toSlot(key)))
  }
}
