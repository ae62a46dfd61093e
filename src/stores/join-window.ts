/** The window of a join of two streams: which records may meet, and what follows for its rows. */

import type { Serde } from '../serde/serde.ts'

export type Side = 'left' | 'right'

export interface JoinWindow<K> {
  readonly key: Serde<K>
  /** Of a value of the side, what the store keeps of it: `Serde.keptOf`. */
  readonly keptOf: Readonly<Record<Side, (value: unknown) => unknown>>
  /** A partner on the right is at most this much older than the left record, in ms. */
  readonly beforeMs: number
  /** A partner on the right is at most this much newer than the left record, in ms. */
  readonly afterMs: number
  readonly graceMs: number
  /** Wall-clock ms between two reports of rows that stayed alone; 0: with each record. */
  readonly reportIntervalMs: number
}

export const otherSide = (side: Side): Side => (side === 'left' ? 'right' : 'left')

/** How much newer a partner of a row of this side may be. */
export const aheadMs = (side: Side, { beforeMs, afterMs }: JoinSpan): number =>
  side === 'left' ? afterMs : beforeMs

/** How much older a partner of a row of this side may be. */
export const behindMs = (side: Side, { beforeMs, afterMs }: JoinSpan): number =>
  side === 'left' ? beforeMs : afterMs

type JoinSpan = Pick<JoinWindow<never>, 'beforeMs' | 'afterMs'>

/** Width of the buckets: so wide that a record's partners lie in three of them. */
export const bucketMsOf = ({ beforeMs, afterMs }: JoinSpan): number =>
  Math.max(1, Math.ceil((beforeMs + afterMs) / 2))
