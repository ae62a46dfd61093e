/** `/api/orders`: placed, changed, cancelled, refused for want of stock, repeated under one key. */

import type { Step } from '../step.ts'
import {
  address,
  captured,
  cardOrder,
  droppedOrder,
  emptyOrder,
  keyed,
  notes,
  notice,
  orderBody,
  orderEvent,
  paidOrder,
  platformEvent,
  rare,
  shortOrder,
  stockEvent,
  topics,
  transfer,
  words,
} from './places.ts'

const place = 'POST /api/orders'
const isProblem = { 'content-type': /^application\/problem\+json/ }

/** Accepted: all that follows is told by its own steps. */
const placeTransfer = (orderId: string, what: string): Step => ({
  row: place,
  what,
  method: 'POST',
  path: '/api/orders',
  body: orderBody(orderId, { ...transfer, notes }),
  status: [202],
  answerHeaders: { location: `/api/orders/${orderId}` },
  events: [
    orderEvent('order.created', orderId, { paymentMethod: 'transfer', notes: /^enc:1:/ }),
    platformEvent('workflow.started', orderId),
    stockEvent('stock.reserved', orderId),
  ],
})

const isPaying = (orderId: string): Step => ({
  row: 'GET /api/orders/{id}',
  what: 'waits for the transfer',
  method: 'GET',
  path: `/api/orders/${orderId}`,
  status: [200],
  isEventual: true,
  shows: { status: 'paying' },
})

const placed: readonly Step[] = [
  {
    row: place,
    what: 'by card: reserved, paid, deducted, confirmed',
    method: 'POST',
    path: '/api/orders',
    body: orderBody(cardOrder),
    status: [202],
    answerHeaders: { location: `/api/orders/${cardOrder}` },
    events: [
      orderEvent('order.created', cardOrder, { totalMinor: 500, currency: 'EUR' }),
      platformEvent('workflow.started', cardOrder),
      stockEvent('stock.reserved', cardOrder),
      captured(cardOrder, 500, 'card'),
      stockEvent('stock.deducted', cardOrder),
      orderEvent('order.confirmed', cardOrder, { capturedMinor: 500 }),
      notice('ORDER_CONFIRMED', cardOrder),
    ],
  },
  {
    row: 'GET /api/orders/{id}',
    what: 'confirmed; its version as ETag',
    method: 'GET',
    path: `/api/orders/${cardOrder}`,
    status: [200],
    isEventual: true,
    shows: { status: 'confirmed', total: '5.00', captured: '5.00' },
    answerHeaders: { etag: /^"\d+"$/, 'millrace-owner': /./ },
    keeps: { cardPayment: 'payments.0.paymentId' },
  },
  {
    row: place,
    what: 'no stock: ?wait tells the outcome',
    method: 'POST',
    path: '/api/orders?wait=30000',
    body: orderBody(emptyOrder, {
      items: [{ productId: '{run}-none', quantity: 1, price: '9.00' }],
    }),
    status: [200],
    shows: { status: 'rejected' },
    events: [
      orderEvent('order.created', emptyOrder),
      {
        topic: topics.inventory,
        type: 'reservation.failed',
        aggregate: '{run}-none',
        data: { orderId: emptyOrder },
      },
      orderEvent('order.rejected', emptyOrder, { refundRequired: false }),
      platformEvent('saga.compensated', emptyOrder),
      notice('ORDER_REJECTED', emptyOrder),
    ],
  },
  placeTransfer(paidOrder, 'by transfer: waits for it'),
  placeTransfer(shortOrder, 'by transfer, which will be short'),
  placeTransfer(droppedOrder, 'by transfer, cancelled before it'),
  isPaying(paidOrder),
  isPaying(shortOrder),
  isPaying(droppedOrder),
]

const key = keyed('order')
const yen = { customerId: '{run}-bob', currency: 'JPY' }
const keyedItems = [{ productId: rare, quantity: 1, price: '250' }]

/** Without an order id in the body: it derives from the key. */
const repeated: readonly Step[] = [
  {
    row: place,
    what: 'Idempotency-Key, in yen; few are left',
    method: 'POST',
    path: '/api/orders',
    headers: key,
    body: { ...yen, items: keyedItems },
    status: [202],
    keeps: { keyedOrder: 'orderId' },
    events: [
      orderEvent('order.created', '{keyedOrder}', { totalMinor: 250, currency: 'JPY' }),
      {
        topic: topics.inventory,
        type: 'stock.low',
        aggregate: rare,
        data: { available: 9, threshold: 10 },
      },
    ],
  },
  {
    row: 'GET /api/orders/{id}',
    what: 'confirmed, in yen',
    method: 'GET',
    path: '/api/orders/{keyedOrder}',
    status: [200],
    isEventual: true,
    shows: { status: 'confirmed', total: '250' },
  },
  {
    row: place,
    what: 'the same key again, one order only',
    method: 'POST',
    path: '/api/orders',
    headers: key,
    body: { ...yen, items: keyedItems },
    status: [200, 202],
    shows: { orderId: '{keyedOrder}' },
  },
  {
    row: place,
    what: 'the key with another body: 422',
    method: 'POST',
    path: '/api/orders',
    headers: key,
    body: { ...yen, items: [{ ...keyedItems[0], quantity: 2 }] },
    status: [422],
    answerHeaders: isProblem,
  },
  {
    row: place,
    what: 'a body that cannot be: every place told',
    method: 'POST',
    path: '/api/orders',
    body: { ...yen, items: [{ productId: 'x', quantity: 0, price: '0.5' }] },
    status: [400],
    shows: { errors: [{ pointer: '/items/0/quantity' }, { pointer: '/items/0/price' }] },
    answerHeaders: isProblem,
  },
]

const changed: readonly Step[] = [
  {
    row: 'PUT /api/orders/{orderId}',
    what: 'another address',
    method: 'PUT',
    path: `/api/orders/${paidOrder}?wait=30000`,
    headers: keyed('address'),
    body: { shippingAddress: address },
    status: [200],
    shows: { shippingAddress: address, notes },
    events: [orderEvent('order.updated', paidOrder, { shippingAddress: /^enc:1:.*,SE$/ })],
  },
  {
    row: 'DELETE /api/orders/{orderId}',
    what: 'If-Match of a version that passed: 412',
    method: 'DELETE',
    path: `/api/orders/${droppedOrder}?reason=${words}`,
    headers: { 'if-match': '"1"' },
    status: [412],
    answerHeaders: isProblem,
    events: [
      {
        topic: topics.orders,
        type: 'order.update-refused',
        aggregate: droppedOrder,
        data: { code: 'VERSION_CHANGED' },
      },
    ],
  },
  {
    row: 'DELETE /api/orders/{orderId}',
    what: 'before the transfer: no refund',
    method: 'DELETE',
    path: `/api/orders/${droppedOrder}?reason=${words}`,
    status: [202],
    answerHeaders: { location: `/api/orders/${droppedOrder}` },
    events: [
      stockEvent('stock.released', droppedOrder),
      orderEvent('order.cancelled', droppedOrder, { refundRequired: false, refundedMinor: 0 }),
      notice('ORDER_CANCELLED', droppedOrder),
    ],
  },
  {
    row: 'GET /api/orders/{id}',
    what: 'cancelled',
    method: 'GET',
    path: `/api/orders/${droppedOrder}`,
    status: [200],
    isEventual: true,
    shows: { status: 'cancelled', reason: words },
  },
  {
    row: 'DELETE /api/orders/{orderId}',
    what: 'ended already: 409',
    method: 'DELETE',
    path: `/api/orders/${droppedOrder}`,
    status: [409],
    answerHeaders: isProblem,
  },
]

export const orderSteps: readonly Step[] = [...placed, ...repeated, ...changed]
