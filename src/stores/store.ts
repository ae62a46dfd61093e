/**
 * Store handles: one typed value that names a store everywhere (operator, changelog, query).
 *
 * A handle holds no data. A task opens it once over `Slots` and keeps what it opened across
 * rebuilds of its pipeline; `Opened` is the face an operator sees, `Reader` that of a query.
 */

import type { SlotCodec, Slots } from '../../state/slots.ts'
import type { StreamTime } from './stream-time.ts'

export type StoreKind =
  | 'key-value'
  | 'table'
  | 'versioned'
  | 'ttl'
  | 'window'
  | 'windowed'
  | 'suppress'
  | 'distinct'
  | 'join'
  | 'waiting'
  | 'foreign-key'
  | 'outbox'

/** How the changelog topic of a store is cleaned. */
export interface ChangelogPolicy {
  readonly cleanupPolicy: 'compact' | 'compact,delete'
  /** How long a tombstone outlives compaction, in ms; default 24 h. */
  readonly deleteRetentionMs?: number
  /** Only with `delete`: ms a row may be needed, window retention included. */
  readonly retentionMs?: number
}

export interface Store<Opened = unknown, Reader = unknown> {
  readonly name: string
  readonly kind: StoreKind
  /** Kind, layout version and serde formats, compared with what the state was made by. */
  readonly layout: string
  /** Of what the values mean, from 1; default 1. See `StoreVersion`. */
  readonly version?: number
  /**
   * Makes the bytes of a row of an older version those of this one.
   *
   * @param slot  the row's key, as the codec gets it
   */
  readonly migrateRow?: (rowBytes: Uint8Array, slot: string, fromVersion: number) => Uint8Array
  /** How long rows are kept in stream time, in ms, where the store has such a bound. */
  readonly retentionMs?: number
  readonly changelog: ChangelogPolicy
  readonly codec: SlotCodec
  /** Called once per task, whose time moves on; the slots belong to this store alone. */
  open(slots: Slots, time: StreamTime): Opened
  /** Committed data only, for interactive queries; writes nothing, may be made at any time. */
  reader(slots: Slots): Reader
}
