/**
 * Stock of one product, and one row per hold on it.
 *
 * 1. `held` is the sum of the product's holds in state `held`, kept as a counter: a hot product has
 * thousands. 2. The four totals only rise; onHand = added − subtracted − deducted + returned.
 */

import { columns } from '../../../src/index.ts'
import type { StockRefusal } from '../shared/events.ts'

export interface ProductRow {
  readonly productId: string
  /** Rises with each change. */
  readonly version: number
  readonly onHand: number
  readonly held: number
  /** Units never promised. */
  readonly safetyStock: number
  readonly addedTotal: number
  readonly subtractedTotal: number
  readonly deductedTotal: number
  readonly returnedTotal: number
  /** StockLow was told; reset by the next addition that lifts it above the threshold. */
  readonly isLow: boolean
  /** Lines that wait for stock; absent if none does. */
  readonly waiting?: WaitingLines
}

/** The queue of a product: its holds in state `waiting`, linked by `aheadId` and `behindId`. */
export interface WaitingLines {
  readonly firstId: string
  readonly lastId: string
  /** Of all of them together. */
  readonly units: number
}

/**
 * How a hold stands. All but `waiting` and `held` are closed: a marker that answers late commands.
 * ```
 *   (none) ─► waiting ─► held | refused | released
 *      │
 *      ├─────► held ─► deducted ─► returned
 *      │        ├───► released
 *      │        └───► expired ─► deducted | released | refused
 *      ├─────► refused    not enough stock
 *      └─────► released   the release overtook the reservation
 * ```
 */
export type HoldState =
  | 'waiting'
  | 'held'
  | 'deducted'
  | 'returned'
  | 'released'
  | 'expired'
  | 'refused'

export interface HoldRow {
  readonly holdId: string
  readonly productId: string
  readonly orderId: string
  readonly line: number
  readonly quantity: number
  readonly state: HoldState
  /** The product's version at the last change: orders holds by age, and answers repetitions. */
  readonly version: number
  /** Wall clock at which it expires, need not wait any longer, or is forgotten, in ms. */
  readonly dueMs: number
  /** Wall clock at which it began to hold or to wait: tells if the clock was set back since. */
  readonly heldAtMs?: number
  /** Where the expiry index has its one row of this hold; never after `dueMs`. */
  readonly indexedMs: number
  /** While it waits: the holds next to it in the product's queue. */
  readonly aheadId?: string
  readonly behindId?: string
}

/**
 * What became of an UpdateStock: recognises its repetition, and tells HTTP the answer.
 *
 * A refused one is kept too: the same command again stays refused, also if it would pass by then.
 */
export interface StockCommandRow {
  /** Of its body. */
  readonly hash: string
  /** The product's after the decision; 0 if there is no such product. */
  readonly version: number
  /** Absent if it was followed. */
  readonly refusal?: StockRefusal
}

export const emptyProduct = (productId: string): ProductRow => ({
  productId,
  version: 0,
  onHand: 0,
  held: 0,
  safetyStock: 0,
  addedTotal: 0,
  subtractedTotal: 0,
  deductedTotal: 0,
  returnedTotal: 0,
  isLow: false,
})

/** What may still be promised; never negative, also when the safety stock is used up. */
export const availableOf = ({ onHand, held, safetyStock }: ProductRow): number =>
  Math.max(0, onHand - held - safetyStock)

/** Columns may be added at the end. */
export const holdRows = columns<HoldRow>('hold/1', {
  holdId: 'json',
  productId: 'json',
  orderId: 'json',
  line: 'json',
  quantity: 'json',
  state: 'json',
  version: 'json',
  dueMs: 'json',
  indexedMs: 'json',
  heldAtMs: 'json',
  aheadId: 'json',
  behindId: 'json',
})
