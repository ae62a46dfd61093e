/**
 * From deducted lines to shipments: what is there ships, what waits follows.
 *
 * `advanceFulfilment` is called whenever a line of a paid order may have come to rest. 1. Lines
 * whose deduction is being answered are waited for, so that they ship together. 2. A line ships in
 * one shipment, and only once it is deducted. 3. An order none of whose lines waits is confirmed;
 * if none is left either, it ends.
 */

import { waitOver } from '../inventory/model.ts'
import { tryComplete } from './delivery-steps.ts'
import type { OrderDraft } from './order-draft.ts'
import { capturedMinorOf, isCancelledLine, type LineState } from './order-row.ts'
import { parcelsOf } from './parcels.ts'
import { beginWindDown } from './wind-down.ts'

export const advanceFulfilment = (draft: OrderDraft): void => {
  const { row } = draft
  const has = (wanted: LineState): boolean => row.lines.some(({ state }) => state === wanted)
  if (has('deducting')) return
  const isOpen = has('waiting') || has('releasing')
  if (!isOpen && !has('deducted')) {
    const reason = has('failed') ? waitOver : 'stock-lost'
    beginWindDown(draft, { outcome: 'cancelled', reason })
    return
  }
  const isWhole = !isOpen && row.status === 'deducting'
  if (!isOpen) confirm(draft)
  else if (row.status === 'deducting') draft.moveTo('backordered')
  if (isWhole) draft.ship()
  else shipParcel(draft)
  tryComplete(draft)
}

/** Tells which lines wait and which are cancelled; at most once per draft. */
export const tellLines = (draft: OrderDraft): void => {
  const { orderId, lines } = draft.row
  const numbers = lines.map((_, line) => line)
  draft.orderEvent('order.updated', {
    orderId,
    waitingLines: numbers.filter((line) => lines[line]!.state === 'waiting'),
    cancelledLines: numbers.filter((line) => isCancelledLine(lines[line]!)),
  })
}

const confirm = (draft: OrderDraft): void => {
  const { orderId, customerId, currency, totalMinor } = draft.row
  draft.moveTo('confirmed')
  draft.orderEvent('order.confirmed', {
    orderId,
    customerId,
    currency,
    totalMinor,
    capturedMinor: capturedMinorOf(draft.row),
  })
}

/** Ships the deducted lines that are in no shipment yet, if there are any. */
const shipParcel = (draft: OrderDraft): void => {
  const { row } = draft
  const number = parcelsOf(row) + 1
  const isReady = ({ state, parcel }: (typeof row.lines)[number]): boolean =>
    state === 'deducted' && parcel === undefined
  if (!row.lines.some(isReady)) return
  row.lines = row.lines.map((line) => (isReady(line) ? { ...line, parcel: number } : line))
  draft.ship(number)
}
