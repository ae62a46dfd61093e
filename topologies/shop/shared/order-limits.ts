/**
 * Bounds of what the shop takes: the same in HTTP, load files and the deciders.
 *
 * Why so far below 2^53: counters and totals add these up over all orders, and every sum must stay
 * a safe integer. An amount is in minor units.
 */

import { runtimeOptions } from '../../../src/index.ts'

/**
 * How far ahead of the wall clock an order may have been placed, in ms: clocks differ.
 *
 * As far as the runtime lets timestamps of records lie ahead.
 */
export const placedAheadMsMax = runtimeOptions.maxFutureSkewMs.default

/** An order is one record and one row: more lines would outgrow both. */
export const orderLinesMax = 500

/** Of every id, in UTF-16 code units; an id may take three times as many bytes. */
export const idLengthMax = 255

/** Of notes and addresses, in UTF-16 code units. */
export const textLengthMax = 1_000

/** Units in one line. */
export const lineQuantityMax = 1_000_000

/** Of one order: ten thousand million units of a two-digit currency. */
export const orderTotalMinorMax = 1_000_000_000_000

/** Units of one product on hand, and in one update. */
export const stockUnitsMax = 1_000_000_000_000
