import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import type { Slots } from '../../state/slots.ts'

/** Rows removed at once, at most; the rest goes with later records. */
const removedMax = 1_000

export interface TimedRange {
  /** First character of the slots; `orderedMs` of their time follows. */
  readonly kind: string
  /** No row lies below. */
  readonly fromMs: number
  readonly belowMs: number
}

/**
 * Removes what is over from an index of time, oldest first, as much as one record should pay for.
 *
 * @param remove  gets each slot
 * @returns       no row is left below it: `belowMs`, or the last time that was met
 */
export const removeBelow = (
  slots: Slots,
  { kind, fromMs, belowMs }: TimedRange,
  remove: (slot: string) => void,
): number => {
  const range = { gte: `${kind}${orderedMs(fromMs)}`, lt: `${kind}${orderedMs(belowMs)}` }
  let removed = 0
  let lastMs = belowMs
  for (const [slot] of slots.scan({ ...range, limit: removedMax })) {
    lastMs = msFromOrdered(slot, 1)
    remove(slot)
    removed += 1
  }
  return removed < removedMax ? belowMs : lastMs
}
