/** A broken invariant: which, of what, and the numbers that show it. */
export interface Violation {
  readonly rule: string
  /** Order, product or payment id. */
  readonly subject: string
  readonly detail: string
}

/** Invariants that a change of one row is checked by, as it is decided. */
export const localInvariants = [
  'total',
  'refunded-within-captured',
  'ended-holds-nothing',
  'ended-refunds-all',
  'shipped-within-deducted',
  'parcels-within-deducted',
  'completed-delivered',
  'paid-before-deducted',
  'open-has-deadline',
  'ends-once',
  'on-hand-not-negative',
  'held-within-on-hand',
  'stock-conserved',
  'hold-ends-once',
  'held-is-sum-of-holds',
  'captured-within-authorised',
  'only-captured-has-money',
] as const

/** Invariants over several rows, which only a look at all of them can tell. */
type GlobalInvariant =
  | 'delivered-holds-nothing'
  | 'order-money-is-captured'
  | 'order-refunds-are-refunded'
  | 'settled-money-agrees'
  | 'ended-keeps-nothing'
  | 'deducted-for-orders'
  | 'waiting-is-sum-of-holds'

export type InvariantName = (typeof localInvariants)[number] | GlobalInvariant

/**
 * Told of each violation when it is decided, before its transaction ends: what is decided again
 * after an abort is told again.
 */
export type OnViolation = (violation: Violation) => void
