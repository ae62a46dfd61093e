/** Slots to read from: the newest values for operators, the committed ones for queries. */

import type { SlotRange, Slots } from '../../state/slots.ts'

export interface SlotView {
  get(slot: string): unknown
  scan(range: SlotRange): Iterable<[string, unknown]>
}

/** Committed values only. */
export const cleanView = (slots: Slots): SlotView => ({
  get: (slot) => slots.cleanGet(slot),
  scan: (range) => slots.cleanScan(range),
})
