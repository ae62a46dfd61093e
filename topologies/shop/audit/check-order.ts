/**
 * Compares the stored row of an order with what its events tell, and says where they differ.
 *
 * Asked for an order's history. 1. `differs` is said only of what no delay explains: events are
 * written with the rows they come from, but an answer of another flow is told before the order has
 * read it. Such a difference is `isPending`, and gone when it was read. 2. Events of the order
 * beyond the row's version are such too. 3. Without the first event nothing is compared.
 */

import {
  isCancelledLine,
  type LineState,
  type OrderCharge,
  type OrderLine,
  type OrderRefund,
  type OrderRow,
  type OrderStatus,
} from '../orders/order-row.ts'
import { shipmentsOf } from '../orders/parcels.ts'
import type { ShopEvent, StockReplyType } from '../shared/events.ts'
import { type RebuiltLine, type RebuiltOrder, rebuildOrder, untoldFrom } from './rebuild-order.ts'

export interface OrderDifference {
  /** Such as `status`, `lines.0`, `charges.<id>.capturedMinor`. */
  readonly field: string
  readonly stored: unknown
  readonly rebuilt: unknown
  /** The order has not read an answer yet, or the row is older than the events. */
  readonly isPending?: true
}

/**
 * `same` · `behind`: only what is pending differs · `differs` · `incomplete`: events of the order
 * are not kept any more, so that a difference says nothing.
 */
export type OrderVerdict = 'same' | 'behind' | 'differs' | 'incomplete'

export interface OrderCheck {
  readonly verdict: OrderVerdict
  readonly differences: readonly OrderDifference[]
}

export interface KeptEvents {
  /** Of this order, from all topics, in any order. */
  readonly events: readonly ShopEvent[]
  /** Events from here on, in ms, are kept; earlier ones may be gone, or some of them. */
  readonly sinceMs?: number
}

/** @param row  read before the events were */
export const checkOrder = (
  row: OrderRow | undefined,
  { events, sinceMs = 0 }: KeptEvents,
): OrderCheck => {
  if (row === undefined) return { verdict: 'behind', differences: [] }
  const later = events.filter((event) => isOfOrder(event) && event.aggregateVersion > row.version)
  const rebuilt = rebuildOrder(events.filter((event) => !later.includes(event)))
  const differences = rebuilt === undefined ? [nothingTold] : differencesOf(row, rebuilt)
  differences.push(
    ...later.map(({ eventType, aggregateVersion }) =>
      pending('version', row.version, `${aggregateVersion}, by ${eventType}`),
    ),
  )
  const verdict = verdictOf(differences)
  const isOld = verdict === 'differs' && row.createdAtMs < sinceMs
  return { verdict: isOld ? 'incomplete' : verdict, differences }
}

const differencesOf = (row: OrderRow, rebuilt: RebuiltOrder): OrderDifference[] => [
  ...rebuilt.contradictions.map((what) => differing('events', undefined, what)),
  ...orderDifferences(row, rebuilt),
  ...row.lines.flatMap((line, index) => lineDifferences(line, rebuilt.lines[index], index)),
  ...chargesDifferences(row.charges, rebuilt.charges),
  ...shipmentDifferences(row, rebuilt),
]

const verdictOf = (differences: readonly OrderDifference[]): OrderVerdict => {
  if (differences.length === 0) return 'same'
  return differences.every(({ isPending }) => isPending === true) ? 'behind' : 'differs'
}

/** Written by the orders flow, at a version of the row. */
const isOfOrder = ({ eventType }: ShopEvent): boolean => /^(order|workflow|saga)\./.test(eventType)

const differing = (field: string, stored: unknown, rebuilt: unknown): OrderDifference => ({
  field,
  stored,
  rebuilt,
})

const pending = (field: string, stored: unknown, rebuilt: unknown): OrderDifference => ({
  ...differing(field, stored, rebuilt),
  isPending: true,
})

const nothingTold: OrderDifference = differing('events', undefined, 'there is no order.created')

/** What both have, and must have alike. */
const equalFields = [
  'orderId',
  'customerId',
  'currency',
  'paymentMethod',
  'totalMinor',
  'placedAtMs',
  'createdAtMs',
  'correlationId',
  'shippingAddress',
  'notes',
  'returnState',
] as const

const orderDifferences = (row: OrderRow, rebuilt: RebuiltOrder): readonly OrderDifference[] => {
  const found = equalFields
    .filter((field) => row[field] !== rebuilt[field])
    .map((field) => differing(field, row[field], rebuilt[field]))
  if (!untoldFrom(rebuilt.status).includes(row.status)) {
    found.push(differing('status', row.status, rebuilt.status))
  }
  const isEnded = rebuilt.reason !== undefined
  if (isEnded && row.reason !== rebuilt.reason) {
    found.push(differing('reason', row.reason, rebuilt.reason))
  }
  if (row.lines.length !== rebuilt.lines.length) {
    found.push(differing('lines', row.lines.length, rebuilt.lines.length))
  }
  return [...found, ...lineSetDifferences(row, rebuilt)]
}

/** Statuses in which each change of what waits or is cancelled is told. */
const tellsLines: ReadonlySet<OrderStatus> = new Set<OrderStatus>([
  'paying',
  'review',
  'deducting',
  'backordered',
  'confirmed',
  'completed',
])

const lineSetDifferences = (row: OrderRow, rebuilt: RebuiltOrder): readonly OrderDifference[] => {
  if (!tellsLines.has(row.status)) return []
  const isWaiting = ({ state }: OrderLine): boolean => state === 'waiting'
  return [
    ...lineSetDifference('waitingLines', row.lines, isWaiting, rebuilt.waitingLines),
    ...lineSetDifference('cancelledLines', row.lines, isCancelledLine, rebuilt.cancelledLines),
  ]
}

const lineSetDifference = (
  field: string,
  lines: readonly OrderLine[],
  isIn: (line: OrderLine) => boolean,
  told: readonly number[] = [],
): readonly OrderDifference[] => {
  const stored = lines.flatMap((line, number) => (isIn(line) ? [number] : []))
  return stored.join() === told.join() ? [] : [differing(field, stored, told)]
}

type Told = StockReplyType | 'nothing'

interface LineFacts {
  /** What the inventory may have told last when the order knows this state. */
  readonly known: readonly Told[]
  /** What it may have told by now, and the order not read. */
  readonly unread?: readonly Told[]
}

const ended = ['reservation.failed', 'hold.expired'] as const

/** By the stored state of a line; states that wait for an answer may have one unread. */
const lineFacts: Readonly<Record<LineState, LineFacts>> = {
  asked: { known: ['nothing'], unread: ['stock.reserved', 'stock.backordered', ...ended] },
  waiting: { known: ['stock.backordered'], unread: ['stock.reserved', ...ended] },
  held: { known: ['stock.reserved'], unread: ['hold.expired'] },
  failed: { known: ['reservation.failed', 'stock.released'] },
  expired: { known: ['hold.expired'] },
  releasing: {
    known: [
      'nothing',
      'stock.backordered',
      'stock.reserved',
      'stock.deducted',
      'deduct.failed',
      ...ended,
    ],
    unread: ['stock.released'],
  },
  released: { known: ['stock.released'] },
  deducting: {
    known: ['stock.reserved', 'hold.expired'],
    unread: ['stock.deducted', 'deduct.failed'],
  },
  deducted: { known: ['stock.deducted'] },
  lost: { known: ['deduct.failed'] },
  returning: { known: ['stock.deducted'], unread: ['stock.released'] },
  returned: { known: ['stock.released'] },
}

const lineDifferences = (
  stored: OrderLine,
  rebuilt: RebuiltLine | undefined,
  index: number,
): readonly OrderDifference[] => {
  if (rebuilt === undefined) return [] // told by the number of lines
  const field = `lines.${index}`
  const found = (['productId', 'quantity', 'priceMinor'] as const)
    .filter((name) => stored[name] !== rebuilt[name])
    .map((name) => differing(`${field}.${name}`, stored[name], rebuilt[name]))
  const told: Told = rebuilt.told ?? 'nothing'
  const { known, unread = [] } = lineFacts[stored.state]
  if (known.includes(told)) return found
  const difference = unread.includes(told) ? pending : differing
  return [...found, difference(`${field}.state`, stored.state, told)]
}

const chargesDifferences = (
  stored: readonly OrderCharge[],
  rebuilt: readonly OrderCharge[],
): readonly OrderDifference[] => {
  const unknown = rebuilt.filter(({ paymentId }) => !stored.some(isPayment(paymentId)))
  return [
    ...unknown.map((charge) => pending(`charges.${charge.paymentId}`, undefined, charge.state)),
    ...stored.flatMap((charge) =>
      chargeDifferences(charge, rebuilt.find(isPayment(charge.paymentId))),
    ),
  ]
}

const isPayment =
  (paymentId: string) =>
  (charge: OrderCharge): boolean =>
    charge.paymentId === paymentId

/** @param rebuilt  undefined: nothing was told of it */
const chargeDifferences = (
  stored: OrderCharge,
  rebuilt: OrderCharge | undefined,
): readonly OrderDifference[] => {
  const field = `charges.${stored.paymentId}`
  const { state = 'asked', capturedMinor = 0, refunds = [] } = rebuilt ?? {}
  const found: OrderDifference[] = []
  if (stored.state !== state) {
    const isWaiting = stored.state === 'asked' || (stored.state === 'unknown' && state !== 'asked')
    found.push((isWaiting ? pending : differing)(`${field}.state`, stored.state, state))
  } else if (stored.capturedMinor !== capturedMinor) {
    found.push(differing(`${field}.capturedMinor`, stored.capturedMinor, capturedMinor))
  }
  return [...found, ...refundsDifferences(field, stored.refunds ?? [], refunds)]
}

const refundsDifferences = (
  charge: string,
  stored: readonly OrderRefund[],
  rebuilt: readonly OrderRefund[],
): readonly OrderDifference[] => {
  const unknown = rebuilt.filter((told) => !stored.some((each) => each.refundId === told.refundId))
  return [
    ...unknown.map(({ refundId, state }) =>
      pending(`${charge}.refunds.${refundId}`, undefined, state),
    ),
    ...stored.flatMap((refund) => {
      const field = `${charge}.refunds.${refund.refundId}`
      const told = rebuilt.find((each) => each.refundId === refund.refundId)
      if (told === undefined) {
        return refund.state === 'asked' ? [] : [differing(field, refund.state, 'asked')]
      }
      if (told.amountMinor !== refund.amountMinor) {
        return [differing(`${field}.amountMinor`, refund.amountMinor, told.amountMinor)]
      }
      if (told.state === refund.state) return []
      return [(refund.state === 'asked' ? pending : differing)(field, refund.state, told.state)]
    }),
  ]
}

const shipmentDifferences = (row: OrderRow, rebuilt: RebuiltOrder): readonly OrderDifference[] => {
  const stored = shipmentsOf(row)
  const unknown = rebuilt.shipments.filter(({ shipmentId }) => !stored.has(shipmentId))
  return [
    ...unknown.map(({ shipmentId, status }) =>
      pending(`shipments.${shipmentId}`, undefined, status),
    ),
    ...[...stored].flatMap(([shipmentId, shipment]) => {
      const told = rebuilt.shipments.find((each) => each.shipmentId === shipmentId)
      const field = `shipments.${shipmentId}`
      if ((told?.version ?? 0) > shipment.version) {
        return [pending(field, shipment.status, told?.status)]
      }
      return (['status', 'version', 'carrier', 'trackingNumber'] as const)
        .filter((name) => shipment[name] !== told?.[name])
        .map((name) => differing(`${field}.${name}`, shipment[name], told?.[name]))
    }),
  ]
}
