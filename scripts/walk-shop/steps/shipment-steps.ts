/** `/api/shipments`: the card order's shipment, moved by hand until it is delivered. */

import type { Step } from '../step.ts'
import { cardOrder, keyed, notice, orderEvent, platformEvent, topics } from './places.ts'

const move = (status: string, more: Partial<Step> = {}): Step => ({
  row: 'PUT /api/shipments/{shipmentId}/status',
  what: status,
  method: 'PUT',
  path: '/api/shipments/{shipment}/status?wait=30000',
  body: { status, location: 'Harbour' },
  status: [200],
  shows: { status, location: 'Harbour' },
  ...more,
  headers: { ...keyed(status), ...more.headers },
  events: [
    {
      topic: topics.shipments,
      type: 'shipment.status-updated',
      aggregate: '{shipment}',
      data: { orderId: cardOrder, status, location: 'Harbour' },
    },
    ...(more.events ?? []),
  ],
})

export const shipmentSteps: readonly Step[] = [
  {
    row: 'POST /api/shipments',
    what: "the order's one shipment",
    method: 'POST',
    path: '/api/shipments?wait=30000',
    body: { orderId: cardOrder },
    status: [200],
    shows: { orderId: cardOrder, carrier: /./, trackingNumber: /./, estimatedDelivery: /^\d{4}-/ },
    keeps: { shipment: 'shipmentId', shipmentTag: 'header:etag' },
    events: [
      {
        topic: topics.shipments,
        type: 'shipment.created',
        aggregate: '{shipment}',
        data: { orderId: cardOrder, carrier: /./, trackingNumber: /./ },
      },
    ],
  },
  move('SHIPPED', {
    headers: { 'if-match': '{shipmentTag}' },
    events: [notice('ORDER_SHIPPED', cardOrder)],
  }),
  {
    ...move('IN_TRANSIT'),
    what: 'If-Match of a version that passed: 412',
    headers: { ...keyed('passed'), 'if-match': '{shipmentTag}' },
    status: [412],
    shows: {},
    events: [],
  },
  move('DELIVERED', {
    events: [
      notice('ORDER_DELIVERED', cardOrder),
      orderEvent('order.completed', cardOrder),
      platformEvent('saga.completed', cardOrder),
    ],
  }),
  {
    row: 'GET /api/shipments/{id}',
    what: 'delivered',
    method: 'GET',
    path: '/api/shipments/{shipment}',
    status: [200],
    shows: { status: 'DELIVERED' },
    answerHeaders: { etag: /^"\d+"$/, 'millrace-owner': /./ },
  },
  {
    row: 'GET /api/shipments/{shipmentId}/updates/{updateId}',
    what: 'one that nobody sent: 404',
    method: 'GET',
    path: '/api/shipments/{shipment}/updates/{run}-never',
    status: [404],
  },
]
