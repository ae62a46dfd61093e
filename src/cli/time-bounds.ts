/** Bounds of time as people give them: ISO-8601, or ms since 1970. */

import { type RowBounds, StoreRequestError } from '../../topologies/shop/http/shop-access.ts'
import { isoTime } from '../../topologies/shop/shared/iso-time.ts'
import { timestampMsMax } from '../record.ts'

export interface TimeBounds {
  /** Inclusive. */
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
}

/** @throws {StoreRequestError} a bound that is no time; the end lies before the beginning */
export const timeBounds = ({ from, to }: RowBounds): TimeBounds => {
  const fromMs = from === undefined ? 0 : timeOf(from)
  const toMs = to === undefined ? timestampMsMax : timeOf(to)
  if (fromMs <= toMs) return { fromMs, toMs }
  throw new StoreRequestError(`nothing lies from '${from}' to '${to}': the end comes first`)
}

/** ISO-8601; the bare ms of what no Date can hold. */
export const isoOf = (timeMs: number): string =>
  Math.abs(timeMs) <= dateMsMax ? isoTime(timeMs) : String(timeMs)

const dateMsMax = 8.64e15

const timeOf = (text: string): number => {
  const timeMs = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  if (timeMs >= 0 && timeMs <= timestampMsMax) return timeMs
  throw new StoreRequestError(`'${text}' is no time: give ISO-8601, or ms since 1970`)
}
