/** Orders as they come in and go out, as JSON Schema, and the words that others share. */

import { type TSchema, Type } from 'typebox'
import type { OrderVerdict } from '../../audit/check-order.ts'
import type { LineState, OrderCharge } from '../../orders/order-row.ts'
import type { Fulfilment } from '../../orders/parcels.ts'
import { orderActions } from '../../orders/transitions.ts'
import type { PaymentMethod, ShipmentStatus } from '../../shared/commands.ts'
import type { ReturnState } from '../../shared/events.ts'
import { currencies } from '../../shared/money.ts'
import { lineQuantityMax, orderLinesMax, textLengthMax } from '../../shared/order-limits.ts'
import { timePattern } from '../../shared/is-time.ts'
import { amount, count, exactly, id, keysOf, money, oneOf, time } from './shared-schemas.ts'

export const paymentMethods = keysOf<PaymentMethod>({ card: true, transfer: true })

const price = amount('Per unit; exact in the currency.')

const paymentMethod = oneOf(paymentMethods, 'Default card.')

export const chargeStates = keysOf<OrderCharge['state']>({
  asked: true,
  unknown: true,
  captured: true,
  declined: true,
})

const text = (): TSchema => Type.String({ minLength: 1, maxLength: textLengthMax })

export const orderRequest = Type.Object(
  {
    orderId: Type.Optional(id('Yours; without it one is derived from the key, or made.')),
    customerId: id(),
    currency: oneOf([...currencies], 'ISO 4217.'),
    items: Type.Array(
      exactly({
        productId: id(),
        quantity: Type.Integer({ minimum: 1, maximum: lineQuantityMax }),
        price,
      }),
      { minItems: 1, maxItems: orderLinesMax },
    ),
    paymentMethod: Type.Optional(paymentMethod),
    shippingAddress: Type.Optional(text()),
    notes: Type.Optional(text()),
    placedAt: Type.Optional(
      Type.String({
        pattern: timePattern.source,
        description: 'ISO 8601, of a date that exists and is at most an hour ahead; default now.',
      }),
    ),
    totalAmount: Type.Optional(price),
  },
  {
    additionalProperties: false,
    title: 'OrderRequest',
    examples: [
      {
        customerId: 'c-1',
        currency: 'EUR',
        items: [{ productId: 'tea', quantity: 2, price: '2.50' }],
        paymentMethod: 'card',
      },
    ],
  },
)

export const orderUpdate = Type.Object(
  { shippingAddress: Type.Optional(text()), notes: Type.Optional(text()) },
  { additionalProperties: false, minProperties: 1, title: 'OrderUpdate' },
)

const verdicts = keysOf<OrderVerdict>({ same: true, behind: true, differs: true, incomplete: true })

export const statuses = Object.keys(orderActions)

const lineStates = keysOf<LineState>({
  asked: true,
  waiting: true,
  held: true,
  failed: true,
  expired: true,
  releasing: true,
  released: true,
  deducting: true,
  deducted: true,
  lost: true,
  returning: true,
  returned: true,
})

export const shipmentStatuses = keysOf<ShipmentStatus>({
  CREATED: true,
  SHIPPED: true,
  IN_TRANSIT: true,
  OUT_FOR_DELIVERY: true,
  DELIVERY_FAILED: true,
  DELIVERED: true,
})

const returnStates = keysOf<ReturnState>({ requested: true, started: true, done: true })

const fulfilments = keysOf<Fulfilment>({
  waiting: true,
  'partially-shipped': true,
  shipped: true,
})

const orderShipment = exactly({
  shipmentId: id(),
  status: oneOf(shipmentStatuses),
  version: count,
  carrier: Type.String(),
  trackingNumber: Type.String(),
})

export const order = exactly(
  {
    orderId: id(),
    version: Type.Integer({ minimum: 1 }),
    status: oneOf(statuses),
    reason: Type.Optional(Type.String()),
    customerId: id(),
    currency: Type.String(),
    total: money,
    captured: money,
    refunded: money,
    paymentMethod,
    items: Type.Array(
      exactly({
        productId: id(),
        quantity: count,
        price: money,
        state: oneOf(lineStates),
        shipmentId: Type.Optional(id('Where the order ships in parts.')),
      }),
    ),
    payments: Type.Array(
      exactly({ paymentId: id(), status: oneOf(chargeStates), captured: money }),
    ),
    shipment: Type.Optional(orderShipment),
    shipments: Type.Optional(
      Type.Array(orderShipment, { description: 'All of them, where the order ships in parts.' }),
    ),
    fulfilment: Type.Optional(
      oneOf(fulfilments, 'Where lines of the order had to wait for stock.'),
    ),
    returnState: Type.Optional(oneOf(returnStates)),
    shippingAddress: Type.Optional(Type.String()),
    notes: Type.Optional(Type.String()),
    placedAt: time,
    createdAt: time,
    deadlineAt: Type.Optional(time),
  },
  'Order',
)

/** A server-sent event, field by field. */
export const orderEvent = exactly({
  id: Type.String({ pattern: '^[0-9]+$', description: 'The version of the order.' }),
  event: Type.Literal('order'),
  data: Type.String({ contentMediaType: 'application/json', contentSchema: order }),
})

/** Durable, and perhaps not seen by the stream yet. */
export const acceptedOrder = exactly({ orderId: id(), status: Type.Literal('accepted') })

export const receivedOrder = exactly({ orderId: id(), status: Type.Literal('received') })

export const history = Type.Object(
  {
    order: Type.Optional(
      Type.Object(
        { orderId: id(), version: count, status: oneOf(statuses) },
        { description: 'The row, as it is stored.' },
      ),
    ),
    events: Type.Array(
      Type.Object({
        timestamp: Type.String(),
        topic: Type.String(),
        eventType: Type.String(),
        eventId: Type.String(),
        data: Type.Unknown(),
      }),
    ),
    rebuilt: Type.Optional(
      exactly({
        verdict: oneOf(verdicts, 'Whether the row is what its events tell.'),
        differences: Type.Array(
          Type.Object({ field: Type.String(), isPending: Type.Optional(Type.Literal(true)) }),
        ),
      }),
    ),
  },
  { title: 'OrderHistory' },
)
