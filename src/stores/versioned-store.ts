/**
 * Every value a key had within the last `historyRetentionMs`: a table that answers for the past.
 *
 * Slot layout, big-endian; `time` is `orderedMs`, a bucket is an eighth of the retention:
 * ```
 *   ['l'][key]                    → the latest version, a deletion too       most look-ups end here
 *   ['h'][bucketStart time][key]  → versions whose end lies in the bucket    points, never a scan
 *   ['d'][bucketStart time][key]  → [1]      the latest version is a deletion of this bucket
 *   ['b']                         → [observedMs f64][lowestMs f64]
 * ```
 * What happens to the rows is in `versioned-state.ts`. Why by the end: the version that was valid
 * at the start of the history may have begun long before it.
 */

import type { SlotCodec } from '../../state/slots.ts'
import type { Serde, Serdes } from '../serde/serde.ts'
import { checkMs } from '../windows/windows.ts'
import { boundsCodec, markerCodec } from './fixed-codecs.ts'
import { cleanView } from './slot-view.ts'
import type { Store } from './store.ts'
import { type StoreVersion, versionFields } from './store-version.ts'
import type { TableReader, TableRows, Timestamped } from './table-store.ts'
import {
  type EndedVersion,
  type Version,
  type VersionBounds,
  VersionedState,
  Versions,
} from './versioned-state.ts'

/** The face for operators: a table's rows that also answer for the past. */
export interface VersionedRows<K, V> extends TableRows<K, V> {
  /** `undefined` too if the time lies before the history that is kept. */
  rowAsOf(key: K, asOfMs: number): Timestamped<V> | undefined
}

/** Committed versions; what a query sees. */
export interface VersionedReader<K, V> extends TableReader<K, V> {
  rowAsOf(key: K, asOfMs: number): Timestamped<V> | undefined
}

export interface VersionedStoreOptions<K, V> extends Serdes<K, V>, StoreVersion<NoInfer<V>> {
  /**
   * How far back the past is known, in ms before the highest timestamp put so far; at least 1.
   *
   * Updates older than that are refused. The latest value never expires.
   */
  readonly historyRetentionMs: number
}

export interface VersionedStore<K, V>
  extends Store<VersionedRows<K, V>, VersionedReader<K, V>>, VersionedStoreOptions<K, V> {
  readonly kind: 'versioned'
}

/**
 * Names the store of a versioned table.
 *
 * A key's versions that ended within one eighth of the retention are one row, rewritten with each
 * of them: meant for tables whose keys change now and then, not for counters.
 *
 * @param name  unique in the application and stable
 * @throws {RangeError} a `historyRetentionMs` that is no whole number from 1
 * @example     versionedStore('prices', { key: utf8, value: json<Price>(),
 *                historyRetentionMs: days(1) })
 */
export const versionedStore = <K, V>(
  name: string,
  options: VersionedStoreOptions<K, V>,
): VersionedStore<K, V> => {
  const { key, value, historyRetentionMs } = options
  checkMs(`store ${name}: historyRetentionMs`, historyRetentionMs, 1)
  return {
    ...options,
    name,
    kind: 'versioned',
    // buckets depend on the retention
    layout: `versioned/1 key=${key.format} value=${value.format} history=${historyRetentionMs}`,
    changelog: { cleanupPolicy: 'compact' }, // `delete` would lose latest values
    ...versionFields(name, options, { value, codecOf: versionedCodec }),
    open: (slots) => new VersionedState(slots, options),
    reader: (slots) => new Versions(cleanView(slots), options),
  }
}

const versionedCodec = <V>(value: Serde<V>): SlotCodec => ({
  encode(stored, slot) {
    if (slot.startsWith('l')) return encodeVersions([stored as Version<V>], value)
    if (slot.startsWith('h')) return encodeVersions(stored as readonly EndedVersion<V>[], value)
    if (slot.startsWith('d')) return markerCodec.encode()
    const { observedMs, lowestMs } = stored as VersionBounds
    return boundsCodec.encode([observedMs, lowestMs])
  },
  decode(bytes, slot) {
    if (slot.startsWith('l')) return decodeVersions(bytes, value)[0]
    if (slot.startsWith('h')) return decodeVersions(bytes, value)
    if (slot.startsWith('d')) return markerCodec.decode()
    const [observedMs, lowestMs] = boundsCodec.decode(bytes)
    return { observedMs, lowestMs } satisfies VersionBounds
  },
})

const headerBytes = 21

/** Each `[fromMs f64][toMs f64][hasValue u8][valueBytes u32][value]`; `toMs` of the latest is ∞. */
const encodeVersions = <V>(
  versions: readonly (Version<V> & { readonly toMs?: number })[],
  serde: Serde<V>,
): Uint8Array => {
  const parts: Uint8Array[] = []
  for (const { fromMs, toMs = Infinity, value } of versions) {
    const encoded = value === undefined ? noBytes : serde.encode(value)
    const header = Buffer.allocUnsafe(headerBytes)
    header.writeDoubleBE(fromMs, 0)
    header.writeDoubleBE(toMs, 8)
    header.writeUInt8(value === undefined ? 0 : 1, 16)
    header.writeUInt32BE(encoded.length, 17)
    parts.push(header, encoded)
  }
  return Buffer.concat(parts)
}

const decodeVersions = <V>(bytes: Uint8Array, serde: Serde<V>): EndedVersion<V>[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const versions: EndedVersion<V>[] = []
  for (let at = 0; at < bytes.length;) {
    const [fromMs, toMs] = [view.getFloat64(at), view.getFloat64(at + 8)]
    const end = at + headerBytes + view.getUint32(at + 17)
    const hasValue = view.getUint8(at + 16) === 1
    const value = hasValue ? serde.decode(bytes.subarray(at + headerBytes, end)) : undefined
    versions.push({ fromMs, toMs, value })
    at = end
  }
  return versions
}

const noBytes = new Uint8Array(0)
