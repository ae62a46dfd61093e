/** `PUT` and `GET /api/inventory/{productId}`: the first steps, since orders need stock. */

import type { ExpectedEvent, Pattern, Step } from '../step.ts'
import { keyed, rare, tea, topics } from './places.ts'

const path = `/api/inventory/${tea}`
const wait = '?wait=30000'
const row = 'PUT /api/inventory/{productId}'

const updated = (data: { readonly [field: string]: Pattern }): readonly ExpectedEvent[] => [
  { topic: topics.inventory, type: 'inventory.updated', aggregate: tea, data },
]

const change = (body: { operation: string; quantity: number; reason: string }): Step => ({
  row,
  what: `${body.operation} ${body.quantity}, ${body.reason}`,
  method: 'PUT',
  path: path + wait,
  headers: keyed(body.reason),
  body,
  status: [200],
  events: updated({
    operation: body.operation,
    quantityChange: body.operation === 'ADD' ? body.quantity : -body.quantity,
    reason: body.reason,
  }),
})

export const stockSteps: readonly Step[] = [
  change({ operation: 'ADD', quantity: 100, reason: 'RESTOCK' }),
  {
    row: 'GET /api/inventory/{productId}/updates/{updateId}',
    what: 'one that nobody sent: 404',
    method: 'GET',
    path: `${path}/updates/{run}-never`,
    status: [404],
  },
  change({ operation: 'SUBTRACT', quantity: 3, reason: 'ADJUSTMENT' }),
  change({ operation: 'SUBTRACT', quantity: 1, reason: 'ORDER' }),
  {
    row,
    what: 'more than there is: refused',
    method: 'PUT',
    path: path + wait,
    headers: keyed('refused'),
    body: { operation: 'SUBTRACT', quantity: 1_000, reason: 'ADJUSTMENT' },
    status: [409],
    shows: { detail: /^STOCK_BELOW_ZERO/ },
    answerHeaders: { 'content-type': /^application\/problem\+json/ },
    events: [
      {
        topic: topics.inventory,
        type: 'inventory.update-refused',
        aggregate: tea,
        data: { code: 'STOCK_BELOW_ZERO', onHand: 96 },
      },
    ],
  },
  {
    row,
    what: 'another product',
    method: 'PUT',
    path: `/api/inventory/${rare}${wait}`,
    headers: keyed('rare'),
    body: { operation: 'ADD', quantity: 10, reason: 'RESTOCK' },
    status: [200],
    events: [
      {
        topic: topics.inventory,
        type: 'inventory.updated',
        aggregate: rare,
        data: { quantityChange: 10 },
      },
    ],
  },
  {
    row: 'GET /api/inventory/{productId}',
    what: 'what is there',
    method: 'GET',
    path,
    status: [200],
    shows: { onHand: 96, available: 96 },
    answerHeaders: { 'millrace-owner': /./ },
  },
]
