/** Reads of what the other steps did: orders, their stories, customers, figures, the document. */

import type { Pattern, Step } from '../step.ts'
import { cardOrder, customer, droppedOrder, paidOrder } from './places.ts'

const erased = '[erased]'

const orderQueries: readonly Step[] = [
  {
    row: 'GET /api/orders/{id}',
    what: 'completed',
    method: 'GET',
    path: `/api/orders/${cardOrder}`,
    status: [200],
    isEventual: true,
    shows: { status: 'completed', refunded: '2.00' },
    keeps: { orderTag: 'header:etag' },
  },
  {
    row: 'GET /api/orders/{id}',
    what: 'If-None-Match: 304',
    method: 'GET',
    path: `/api/orders/${cardOrder}`,
    headers: { 'if-none-match': '{orderTag}' },
    status: [304],
  },
  {
    row: 'GET /api/orders/{id}',
    what: 'one that was never placed: 404',
    method: 'GET',
    path: '/api/orders/{run}-never',
    status: [404],
    answerHeaders: { 'content-type': /^application\/problem\+json/ },
  },
  {
    row: 'GET /api/orders/{id}/history',
    what: 'its events, and rebuilt from them',
    method: 'GET',
    path: `/api/orders/${cardOrder}/history`,
    status: [200],
    isEventual: true,
    shows: { rebuilt: { verdict: 'same' } },
  },
  {
    row: 'GET /api/orders/{id}/stream',
    what: 'as server-sent events, to the end',
    method: 'GET',
    path: `/api/orders/${droppedOrder}/stream`,
    status: [200],
    shows: { text: /^event: order$[^]*"status":"cancelled"/m },
    answerHeaders: { 'content-type': /^text\/event-stream/ },
  },
  {
    row: 'GET /api/customers/{id}/orders',
    what: 'a page of what happened',
    method: 'GET',
    path: `/api/customers/${customer}/orders?limit=2`,
    status: [200],
    isEventual: true,
    shows: { events: [{ orderId: /./ }, { orderId: /./ }] },
    answerHeaders: { 'millrace-owner': /./ },
    keeps: { customerCursor: 'cursor' },
  },
  {
    row: 'GET /api/customers/{id}/orders',
    what: 'the page after it',
    method: 'GET',
    path: `/api/customers/${customer}/orders?limit=2&cursor={customerCursor}`,
    status: [200],
    shows: { events: [{ orderId: /./ }, { orderId: /./ }] },
  },
  {
    row: 'DELETE /api/customers/{id}/personal-data',
    what: 'the keys are destroyed',
    method: 'DELETE',
    path: `/api/customers/${customer}/personal-data`,
    status: [200],
    shows: { keys: /^\d+$/ },
  },
  {
    row: 'GET /api/orders/{id}',
    what: 'its address and notes are erased',
    method: 'GET',
    path: `/api/orders/${paidOrder}`,
    status: [200],
    shows: { shippingAddress: erased, notes: erased, status: 'confirmed', captured: '5.00' },
  },
  {
    row: 'GET /api/orders/{id}',
    what: "the customer's words are erased",
    method: 'GET',
    path: `/api/orders/${droppedOrder}`,
    status: [200],
    shows: { status: 'cancelled', reason: erased },
  },
  {
    row: 'GET /api/orders/{id}/history',
    what: 'erased there too, and still rebuilt',
    method: 'GET',
    path: `/api/orders/${paidOrder}/history`,
    status: [200],
    isEventual: true,
    shows: { rebuilt: { verdict: 'same' } },
  },
]

type Figures = readonly { readonly [field: string]: Pattern }[]

const figures = (subject: string, totals: Figures): Step => ({
  row: `GET /api/analytics/${subject}`,
  what: 'by hour, over all partitions',
  method: 'GET',
  path: `/api/analytics/${subject}?granularity=hour`,
  status: [200],
  isEventual: true,
  shows: { totals, sources: [{}, {}, {}, {}, {}, {}] },
})

/** At least one: other walks on the same Kafka are counted too. */
const some = /^[1-9]/

export const querySteps: readonly Step[] = [
  ...orderQueries,
  figures('orders', [{ currency: /./, orderedMinor: some, statuses: {} }]),
  figures('payments', [{ completed: some, capturedMinor: some, successRate: /^[01]/ }]),
  figures('inventory', [{}]),
  figures('shipping', [{ carrier: /./ }]),
  {
    row: 'GET /api/openapi.json',
    what: 'the document of all routes',
    method: 'GET',
    path: '/api/openapi.json',
    status: [200],
    shows: { openapi: /^3\.1/, paths: { '/api/orders/{orderId}': { put: {} } } },
  },
]
