/**
 * With `--backorders on`: an order in parts, and one whose waiting part is given up and paid back.
 *
 * A chapter of its own, since a shop rejects or waits: it needs nothing of the steps before.
 */

import type { Step } from '../step.ts'
import {
  captured,
  cup,
  givenUpOrder,
  keyed,
  notice,
  orderBody,
  orderEvent,
  partsOrder,
  pot,
  stockEvent,
  topics,
} from './places.ts'

const stocked = (productId: string, quantity: number, name: string): Step => ({
  row: 'PUT /api/inventory/{productId}',
  what: `ADD ${quantity}: ${name}`,
  method: 'PUT',
  path: `/api/inventory/${productId}?wait=30000`,
  headers: keyed(name),
  body: { operation: 'ADD', quantity, reason: 'RESTOCK' },
  status: [200],
})

/** Two units of each product, 2.50 a unit; there are cups, and no pots. */
const placed = (orderId: string): Step => ({
  row: 'POST /api/orders',
  what: 'a line waits: paid at once all the same',
  method: 'POST',
  path: '/api/orders',
  body: orderBody(orderId, {
    items: [cup, pot].map((productId) => ({ productId, quantity: 2, price: '2.50' })),
  }),
  status: [202],
  events: [
    orderEvent('order.created', orderId, { totalMinor: 1_000 }),
    stockEvent('stock.reserved', orderId, cup),
    stockEvent('stock.backordered', orderId, pot),
    captured(orderId, 1_000, 'card'),
    stockEvent('stock.deducted', orderId, cup),
  ],
})

const isPartlySent = (orderId: string, shipment: string): Step => ({
  row: 'GET /api/orders/{id}',
  what: 'what is there is sent first',
  method: 'GET',
  path: `/api/orders/${orderId}`,
  status: [200],
  isEventual: true,
  shows: {
    status: 'backordered',
    fulfilment: 'partially-shipped',
    captured: '10.00',
    items: [{ state: 'deducted' }, { state: 'waiting' }],
    shipments: [{ carrier: /./ }],
  },
  keeps: { [shipment]: 'shipments.0.shipmentId' },
})

const delivered = (shipment: string, orderId: string): readonly Step[] =>
  ['SHIPPED', 'DELIVERED'].map((status) => ({
    row: 'PUT /api/shipments/{shipmentId}/status',
    what: `a part: ${status}`,
    method: 'PUT',
    path: `/api/shipments/{${shipment}}/status?wait=30000`,
    headers: keyed(`${shipment}-${status}`),
    body: { status },
    status: [200],
    shows: { status },
    events: [
      {
        topic: topics.shipments,
        type: 'shipment.status-updated',
        aggregate: `{${shipment}}`,
        data: { orderId, status },
      },
    ],
  }))

const isCompleted = (orderId: string, refunded: string): Step => ({
  row: 'GET /api/orders/{id}',
  what: 'all that was sent has arrived',
  method: 'GET',
  path: `/api/orders/${orderId}`,
  status: [200],
  isEventual: true,
  shows: { status: 'completed', fulfilment: 'shipped', captured: '10.00', refunded },
})

const inParts: readonly Step[] = [
  stocked(cup, 4, 'cups'),
  placed(partsOrder),
  isPartlySent(partsOrder, 'firstPart'),
  {
    row: 'GET /api/inventory/{productId}',
    what: 'what waits for it',
    method: 'GET',
    path: `/api/inventory/${pot}`,
    status: [200],
    shows: { available: 0, waiting: 2 },
  },
  ...delivered('firstPart', partsOrder),
  { ...stocked(pot, 2, 'pots'), events: [stockEvent('stock.reserved', partsOrder, pot)] },
  {
    row: 'GET /api/orders/{id}',
    what: 'the part that waited is filled',
    method: 'GET',
    path: `/api/orders/${partsOrder}`,
    status: [200],
    isEventual: true,
    shows: { status: 'confirmed', fulfilment: 'shipped', shipments: [{}, { carrier: /./ }] },
    keeps: { secondPart: 'shipments.1.shipmentId' },
  },
  ...delivered('secondPart', partsOrder),
  {
    ...isCompleted(partsOrder, '0.00'),
    events: [
      orderEvent('order.confirmed', partsOrder, { capturedMinor: 1_000 }),
      orderEvent('order.completed', partsOrder),
    ],
  },
]

const givenUp: readonly Step[] = [
  placed(givenUpOrder),
  isPartlySent(givenUpOrder, 'onlyPart'),
  ...delivered('onlyPart', givenUpOrder).slice(0, 1),
  {
    row: 'DELETE /api/orders/{orderId}',
    what: 'what waits is given up, and paid back',
    method: 'DELETE',
    path: `/api/orders/${givenUpOrder}`,
    status: [202],
    events: [
      orderEvent('order.updated', givenUpOrder, { cancelledLines: [1] }),
      {
        topic: topics.payments,
        type: 'payment.refunded',
        data: { orderId: givenUpOrder, amountMinor: 500, status: 'COMPLETED' },
      },
      notice('REFUND_DONE', givenUpOrder),
    ],
  },
  ...delivered('onlyPart', givenUpOrder).slice(1),
  isCompleted(givenUpOrder, '5.00'),
  {
    row: 'GET /api/orders/{id}/history',
    what: 'rebuilt from its events',
    method: 'GET',
    path: `/api/orders/${givenUpOrder}/history`,
    status: [200],
    isEventual: true,
    shows: { rebuilt: { verdict: 'same' } },
  },
]

export const partsSteps: readonly Step[] = [...inParts, ...givenUp]
