/**
 * Which version the values of a store are of, and how older ones become this one.
 *
 * Options of the store builders; the runtime migrates the rows when a task opens, before it is
 * given a record (`task/store-migration.ts`). A migration sees values, never rows: what a store
 * keeps around them (times, window bounds, marks) stays as it is.
 */

import type { SlotCodec } from '../../state/slots.ts'
import type { Serde } from '../serde/serde.ts'
import type { Store } from './store.ts'

export interface StoreVersion<V> {
  /**
   * Raise it when values mean something else, or get another serde; a whole number from 1.
   *
   * Default 1. It never goes back: older code is refused once newer code was started.
   */
  readonly version?: number
  /**
   * Makes a value of an older version one of this version; called once for each stored value.
   *
   * Pure and synchronous. A throw stops the instance (STREAMS_STATE_MISMATCH) and leaves the rows
   * that follow as they were: mend it and start again.
   *
   * @param valueBytes   as the serde of that version wrote them
   * @param fromVersion  of the value, below `version`
   */
  readonly migrate?: (valueBytes: Uint8Array, fromVersion: number) => V
}

interface VersionedCodec<V> {
  readonly value: Serde<V>
  /** The store's codec, for values of any serde. */
  codecOf(value: Serde<unknown>): SlotCodec
}

/**
 * The store's codec and version, from its options.
 *
 * @throws {RangeError} `version` is no whole number from 1, or there is a migration to version 1
 */
export const versionFields = <V>(
  name: string,
  { version = 1, migrate }: StoreVersion<V>,
  { value, codecOf }: VersionedCodec<V>,
): Pick<Store, 'codec' | 'version' | 'migrateRow'> => {
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new RangeError(`store ${name}: version is ${version}; it must be a whole number from 1`)
  }
  const codec = codecOf(value as Serde<unknown>)
  if (migrate === undefined) return { codec, version }
  if (version === 1) {
    throw new RangeError(`store ${name}: migrate is for a version above 1: raise version too`)
  }
  const kept = codecOf(asStored)
  const migrateRow: Store['migrateRow'] = (rowBytes, slot, fromVersion) => {
    const migrating = codecOf({
      ...asStored,
      encode: (stored) => value.encode(settled(migrate(stored as Uint8Array, fromVersion))),
    })
    return migrating.encode(kept.decode(rowBytes, slot), slot)
  }
  return { codec, version, migrateRow }
}

/** Values as they lie in their rows: views, used up before the row's bytes are gone. */
const asStored: Serde<unknown> = {
  format: 'stored',
  encode: (stored) => stored as Uint8Array,
  decode: (bytes) => bytes,
}

/** What is not checked by a compiler would be stored as `{}`, and the value be lost. */
const settled = <V>(value: V): V => {
  if (typeof (value as { readonly then?: unknown } | null | undefined)?.then !== 'function') {
    return value
  }
  throw new TypeError('migrate gave a promise: it must return the value itself')
}
