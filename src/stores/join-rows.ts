/** What a join store holds in its slots: rows of both sides, and bounds of what is still to do. */

export interface JoinRow<T> {
  readonly timestampMs: number
  readonly value: T
  /** Nothing is to be reported of it: it met a partner, was reported, or its side need not be. */
  readonly matched: boolean
}

/** Rows of one key in one bucket, in order of arrival. */
export interface JoinSides<A, B> {
  readonly left: readonly JoinRow<A>[]
  readonly right: readonly JoinRow<B>[]
}

/** Of any type: the store pairs them with its serdes. */
export type AnySides = JoinSides<unknown, unknown>
export type AnyRow = JoinRow<unknown>

export interface JoinBounds {
  /** No row to be reported is older. */
  readonly unmatchedLowestMs: number
  /** No bucket starts earlier. */
  readonly bucketLowestMs: number
  /** Slot in that bucket below which its rows are deleted; '' if none are. */
  readonly deletedTo: string
}

/** Only where late records join: each side's own clock, and marks of work done. */
export interface JoinTimes {
  readonly leftMaxMs: number
  readonly rightMaxMs: number
  /** Wall clock. */
  readonly nextReportMs: number
  /** What decides whether to look for rows to report: see `late-join-state.ts`. */
  readonly minMs: number
  readonly trimmedToMs: number
}

export const noSides: JoinSides<never, never> = { left: [], right: [] }
export const noBounds: JoinBounds = {
  unmatchedLowestMs: Infinity,
  bucketLowestMs: Infinity,
  deletedTo: '',
}
export const noTimes: JoinTimes = {
  leftMaxMs: -Infinity,
  rightMaxMs: -Infinity,
  nextReportMs: -Infinity,
  minMs: Infinity,
  trimmedToMs: -Infinity,
}

export const boundsSlot = 'b'
export const timesSlot = 't'

/** Written out: a field by a computed name is looked up in a table, several times a record. */
export const rowsOf = ({ left, right }: AnySides, side: 'left' | 'right'): readonly AnyRow[] =>
  side === 'left' ? left : right

/** The same sides with other rows on one of them. */
export const withRows = (
  { left, right }: AnySides,
  side: 'left' | 'right',
  rows: readonly AnyRow[],
): AnySides => (side === 'left' ? { left: rows, right } : { left, right: rows })

/** No longer than it must be: spread into a literal, an array gets room for 17. */
export const followedBy = <T>(
  rows: readonly JoinRow<T>[],
  row: JoinRow<T>,
): readonly JoinRow<T>[] => (rows.length === 0 ? [row] : rows.concat(row))
