/**
 * An order as its events tell it: a pure fold, for whoever wants to know whether the stored row is
 * what was told.
 *
 * Called by `check-order.ts`. 1. Never asks the models: it shares the tables of statuses of orders
 * and shipments only. 2. Events of one aggregate (order, payment, product, shipment) are taken by
 * its version; how aggregates lie among each other does not matter, since each tells its own part.
 * 3. What no event tells is not rebuilt: deadlines, alarms, remembered commands, the steps between
 * two events.
 */

import type { OrderCharge, OrderShipment, OrderStatus } from '../orders/order-row.ts'
import { nextStatuses } from '../orders/transitions.ts'
import { nextShipmentStatuses } from '../shipments/shipment-row.ts'
import type { OrderItem, PaymentMethod } from '../shared/commands.ts'
import type {
  OrderCreatedData,
  OrderEvent,
  PaymentEvent,
  PlatformEvent,
  ReturnState,
  ShipmentEvent,
  ShopEvent,
  StockReply,
  StockReplyType,
} from '../shared/events.ts'
import { holdIdOf } from '../shared/ids.ts'
import { derivedEventId } from './derived-event-id.ts'

export interface RebuiltLine extends OrderItem {
  /** What the inventory told last; absent while nothing was. */
  readonly told?: StockReplyType
}

export interface RebuiltShipment extends OrderShipment {
  readonly shipmentId: string
}

export interface RebuiltOrder {
  readonly orderId: string
  readonly customerId: string
  readonly currency: string
  readonly paymentMethod: PaymentMethod
  readonly totalMinor: number
  readonly placedAtMs: number
  readonly createdAtMs: number
  readonly correlationId: string
  readonly shippingAddress?: string
  readonly notes?: string
  readonly returnState?: ReturnState
  readonly waitingLines?: readonly number[]
  readonly cancelledLines?: readonly number[]
  /** The last one that an event told: the stored one may be on a way that no event tells. */
  readonly status: OrderStatus
  readonly reason?: string
  /** Of the order, at its last event. */
  readonly version: number
  readonly lines: readonly RebuiltLine[]
  readonly charges: readonly OrderCharge[]
  /** As a rule one. */
  readonly shipments: readonly RebuiltShipment[]
  /** What cannot be true together, in words; empty unless an event was lost or changed. */
  readonly contradictions: readonly string[]
}

/** Statuses that are entered without an event of the order. */
const untoldStatuses: ReadonlySet<OrderStatus> = new Set<OrderStatus>([
  'paying',
  'review',
  'deducting',
  'backordered',
  'compensating',
  'closing',
])

/**
 * @param events  of one order, in any order; repetitions count once
 * @returns       undefined without the event that created it
 */
export const rebuildOrder = (events: readonly ShopEvent[]): RebuiltOrder | undefined => {
  const { once, contradictions } = withoutCopies(events)
  const created = once.find(({ eventType }) => eventType === 'order.created')
  if (created === undefined) return undefined
  const start = { ...createdOrder(created as CreatedEvent), contradictions }
  const rank = (event: ShopEvent): number => (event.eventType.startsWith('order.') ? 0 : 1)
  return once
    .toSorted((a, b) => rank(a) - rank(b) || a.aggregateVersion - b.aggregateVersion)
    .reduce(withIdChecked, start)
}

type CreatedEvent = Extract<OrderEvent, { readonly eventType: 'order.created' }>

/** An answer about stock may be given again with other figures; of all else a copy is the same. */
const withoutCopies = (
  events: readonly ShopEvent[],
): { readonly once: readonly ShopEvent[]; readonly contradictions: readonly string[] } => {
  const known = new Map<string, ShopEvent>()
  const contradictions: string[] = []
  for (const event of events) {
    const { eventId, eventType } = event
    const other = known.get(eventId)
    if (other === undefined) known.set(eventId, event)
    else if (!('holdId' in event.data) && JSON.stringify(other) !== JSON.stringify(event)) {
      contradictions.push(`${eventType} ${eventId} is told in two ways`)
    }
  }
  return { once: [...known.values()], contradictions }
}

const createdOrder = ({
  data,
  timestamp,
  aggregateVersion,
  metadata,
}: CreatedEvent): Omit<RebuiltOrder, 'contradictions'> => ({
  ...partsOf(data),
  placedAtMs: Date.parse(data.placedAt),
  createdAtMs: Date.parse(timestamp),
  correlationId: metadata.correlationId,
  status: 'reserving',
  version: aggregateVersion,
  lines: data.items.map(({ productId, quantity, priceMinor }) => ({
    productId,
    quantity,
    priceMinor,
  })),
  charges: [],
  shipments: [],
})

const partsOf = ({ items: _items, placedAt: _placedAt, ...parts }: OrderCreatedData) => parts

const withIdChecked = (order: RebuiltOrder, event: ShopEvent): RebuiltOrder => {
  const next = fold(order, event)
  const expected = derivedEventId(event)
  if (expected === undefined || expected === event.eventId) return next
  return contradicted(next, `${event.eventType} has the id ${event.eventId}, not ${expected}`)
}

const contradicted = (order: RebuiltOrder, what: string): RebuiltOrder => ({
  ...order,
  contradictions: [...order.contradictions, what],
})

const fold = (order: RebuiltOrder, event: ShopEvent): RebuiltOrder => {
  switch (event.eventType) {
    case 'order.created':
    case 'order.create-refused':
    case 'order.update-refused':
      return { ...order, version: Math.max(order.version, event.aggregateVersion) }
    case 'order.updated': {
      const { orderId: _orderId, ...changes } = event.data
      return { ...order, ...changes, version: event.aggregateVersion }
    }
    case 'order.confirmed':
    case 'order.completed':
    case 'order.cancelled':
    case 'order.rejected':
    case 'order.expired':
      return withStatus(order, event)
    case 'stock.reserved':
    case 'stock.backordered':
    case 'reservation.failed':
    case 'stock.deducted':
    case 'deduct.failed':
    case 'stock.released':
    case 'hold.expired':
      return withLine(order, event)
    case 'payment.processed':
    case 'payment.unknown':
    case 'payment.refunded':
      return withMoney(order, event)
    case 'shipment.created':
    case 'shipment.status-updated':
      return withShipment(order, event)
    case 'saga.completed':
    case 'saga.compensated':
      return withEnd(order, event)
    default:
      return order // the start of the workflow, and products by themselves
  }
}

type SagaEnded = Exclude<PlatformEvent, { readonly eventType: 'workflow.started' }>

type StatusEvent = Exclude<
  OrderEvent,
  {
    readonly eventType:
      | 'order.created'
      | 'order.create-refused'
      | 'order.updated'
      | 'order.update-refused'
  }
>

const withStatus = (order: RebuiltOrder, event: StatusEvent): RebuiltOrder => {
  const { eventType, data, aggregateVersion: version } = event
  const status = eventType.slice('order.'.length) as OrderStatus
  const wrong = [
    ...(mayFollow(order.status, status) ? [] : [`${eventType} cannot follow ${order.status}`]),
    ...disagreements(order, event),
  ]
  const next = { ...order, status, version, ...('reason' in data && { reason: data.reason }) }
  return wrong.reduce(contradicted, next)
}

/** What an event repeats of the order must be what was told before. */
const disagreements = (
  order: RebuiltOrder,
  { eventType, data }: StatusEvent,
): readonly string[] => {
  const told: Readonly<Record<string, unknown>> = { ...data }
  const fields = ['orderId', 'customerId', 'currency', 'totalMinor'] as const
  return fields
    .filter((field) => field in told && told[field] !== order[field])
    .map((field) => `${field} of ${eventType} is ${String(told[field])}, not ${order[field]}`)
}

/** Whether a way leads from one status to the other, on which nothing else would be told. */
const mayFollow = (from: OrderStatus, to: OrderStatus): boolean =>
  untoldFrom(from).some((status) => nextStatuses[status].includes(to))

/** The statuses without events that may be reached from this one, itself among them. */
export const untoldFrom = (status: OrderStatus): readonly OrderStatus[] => {
  const reached = new Set([status])
  for (const each of reached) {
    for (const next of nextStatuses[each]) if (untoldStatuses.has(next)) reached.add(next)
  }
  return [...reached]
}

type Told = StockReplyType | 'nothing'

/** What the inventory may tell of a line after what it told last; the ways of a hold. */
const nextTold: Readonly<Record<Told, readonly StockReplyType[]>> = {
  nothing: ['stock.reserved', 'stock.backordered', 'reservation.failed'],
  'stock.backordered': ['stock.reserved', 'reservation.failed', 'stock.released'],
  'stock.reserved': ['stock.deducted', 'stock.released', 'hold.expired'],
  'reservation.failed': ['stock.released'],
  'hold.expired': ['stock.deducted', 'deduct.failed', 'stock.released'],
  'stock.deducted': ['stock.released'],
  'deduct.failed': ['stock.released'],
  'stock.released': [],
}

const withLine = (order: RebuiltOrder, { eventType, data }: StockReply): RebuiltOrder => {
  const { line, productId, quantity, holdId, reason } = data
  const known = order.lines[line]
  if (
    known === undefined
    || known.productId !== productId
    || known.quantity !== quantity
    || holdId !== holdIdOf(order.orderId, line)
  ) {
    return contradicted(order, `${eventType} is of ${quantity} ${productId} as line ${line}`)
  }
  const { told = 'nothing' } = known
  if (reason === 'closed' || saysNothingNew(told, eventType)) return order
  const next = { ...order, lines: order.lines.with(line, { ...known, told: eventType }) }
  if (nextTold[told].includes(eventType)) return next
  return contradicted(next, `${eventType} of line ${line} cannot follow ${told}`)
}

/** A ReserveStock that comes again to a hold whose deduction failed is refused once more. */
const saysNothingNew = (told: Told, eventType: StockReplyType): boolean =>
  told === 'deduct.failed' && eventType === 'reservation.failed'

const withMoney = (order: RebuiltOrder, event: PaymentEvent): RebuiltOrder => {
  const { paymentId } = event.data
  const index = order.charges.findIndex((each) => each.paymentId === paymentId)
  const known = order.charges[index] ?? { paymentId, state: 'asked', capturedMinor: 0 }
  const next = chargeAfter(known, event)
  const charges = index < 0 ? [...order.charges, next] : order.charges.with(index, next)
  return { ...order, charges }
}

const chargeAfter = (known: OrderCharge, { eventType, data }: PaymentEvent): OrderCharge => {
  if (eventType === 'payment.processed') {
    return data.status === 'COMPLETED'
      ? { ...known, state: 'captured', capturedMinor: data.capturedMinor }
      : { ...known, state: 'declined', capturedMinor: 0 }
  }
  if (eventType === 'payment.unknown') {
    return known.state === 'asked' ? { ...known, state: 'unknown' } : known
  }
  const { refundId, amountMinor, status } = data
  const state = status === 'COMPLETED' ? 'done' : 'failed'
  return { ...known, refunds: [...(known.refunds ?? []), { refundId, amountMinor, state }] }
}

const withShipment = (order: RebuiltOrder, event: ShipmentEvent): RebuiltOrder => {
  const { aggregateVersion: version, data } = event
  const { carrier, shipmentId } = data
  const index = order.shipments.findIndex((each) => each.shipmentId === shipmentId)
  const known = order.shipments[index]
  if (event.eventType === 'shipment.created') {
    const { trackingNumber } = event.data
    const created = { shipmentId, status: 'CREATED', version, carrier, trackingNumber } as const
    return { ...order, shipments: [...order.shipments, created] }
  }
  const { status } = event.data
  const what = `shipment ${shipmentId} is ${status} by ${carrier}`
  if (known === undefined) return contradicted(order, `${what}, and was never created`)
  const shipments = order.shipments.with(index, { ...known, status, version })
  const next = { ...order, shipments }
  const follows =
    nextShipmentStatuses[known.status].includes(status)
    && version === known.version + 1 // each step is told
    && carrier === known.carrier
  if (follows) return next
  return contradicted(next, `${what} at ${version}, after ${known.status} at ${known.version}`)
}

const withEnd = (order: RebuiltOrder, { data: { outcome, reason } }: SagaEnded): RebuiltOrder => {
  if (outcome === order.status && reason === order.reason) return order
  return contradicted(order, `the saga ended as ${outcome}, the order as ${order.status}`)
}
