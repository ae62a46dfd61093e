/** What the routes of stores, of customers and of the whole shop say of themselves. */

import { type TSchema, Type } from 'typebox'
import type { RouteDoc } from '../../../../src/index.ts'
import { problemKinds } from '../problem-kinds.ts'
import { count, cursor, exactly, id, money, source, sourceHeaders, time } from './shared-schemas.ts'
import { statuses } from './order-schemas.ts'

const row = {
  partition: Type.Optional(count),
  key: Type.Unknown(),
  window: Type.Optional(exactly({ start: Type.String(), end: Type.Optional(Type.String()) })),
  time: Type.Optional(Type.String()),
  value: Type.Unknown({ description: 'As the store has it; null is a deletion that waits.' }),
}

const rows = Type.Array(exactly(row))
const sources = Type.Array(source, { description: 'Who answered, a partition each.' })
const { noSuchStore, noSuchRow, personalDataClosed } = problemKinds

export const storeRowsDoc: RouteDoc = {
  tag: 'stores',
  summary: 'A page of the rows of a store, over all partitions.',
  params: { store: id() },
  answers: {
    200: {
      description: 'In the order of their keys, or of their times.',
      body: exactly({ rows, cursor, sources }, 'StoreRows'),
    },
  },
  problems: [noSuchStore],
}

export const storeRowDoc: RouteDoc = {
  tag: 'stores',
  summary: 'The rows of one key, of every partition that has some.',
  params: { store: id(), key: Type.String({ minLength: 1 }) },
  answers: {
    200: {
      description: 'The first of them is told by itself too.',
      body: exactly({ ...row, rows, cursor, sources }, 'KeyRows'),
    },
  },
  problems: [noSuchStore, noSuchRow],
}

export const customerOrdersDoc: RouteDoc = {
  tag: 'customers',
  summary: "What happened to a customer's orders, oldest first.",
  params: { customerId: id() },
  answers: {
    200: {
      description: 'An empty list if nothing is known.',
      headers: sourceHeaders,
      body: exactly(
        {
          customerId: id(),
          events: Type.Array(
            exactly({
              orderId: id(),
              eventType: Type.String(),
              eventId: Type.String(),
              version: count,
              currency: Type.Optional(Type.String()),
              reason: Type.Optional(Type.String()),
              total: Type.Optional(money),
              refunded: Type.Optional(money),
              timestamp: time,
            }),
          ),
          cursor,
        },
        'CustomerOrders',
      ),
    },
  },
  problems: [noSuchStore, personalDataClosed],
}

export const eraseCustomerDoc: RouteDoc = {
  tag: 'customers',
  summary: "Make a customer's personal data unreadable, for good.",
  description:
    'Destroys the keys that addresses, notes and the words of cancellations were sealed by, in '
    + 'every topic and store, in orders on their way too. Orders, money and stock stay as they '
    + 'are. Asking again is fine.',
  params: { customerId: id() },
  answers: {
    200: {
      description: 'Durable, and true at every replica.',
      body: exactly(
        {
          customerId: id(),
          keys: Type.Integer({
            minimum: 0,
            description: 'Destroyed now; 0 if nothing was sealed since the last time.',
          }),
        },
        'ErasedCustomer',
      ),
    },
  },
  problems: [personalDataClosed],
}

const byName = (): TSchema => Type.Record(Type.String(), count)

export const statusDoc: RouteDoc = {
  tag: 'shop',
  summary: 'Progress, and orders by status.',
  answers: {
    200: {
      description: 'Counted over the whole shop; the lag is that of the instance.',
      body: exactly({
        isReady: Type.Boolean(),
        lagRecords: Type.Integer({ minimum: -1 }),
        orders: count,
        statuses: Type.Object(
          Object.fromEntries(statuses.map((status) => [status, Type.Optional(count)])),
          { additionalProperties: false },
        ),
      }),
    },
  },
}

export const summaryDoc: RouteDoc = {
  tag: 'shop',
  summary: 'The shop in one object, with its invariants checked: a scan of the whole state.',
  answers: {
    200: {
      description:
        'Invariants are checked on the embedded broker and by `dev --kafka`; else `checked` is 0.',
      body: exactly(
        {
          orders: count,
          units: count,
          amountMinor: byName(),
          outcomes: byName(),
          openByStatus: byName(),
          open: count,
          alarms: count,
          duplicates: count,
          invariants: exactly({
            checked: count,
            violations: Type.Array(
              exactly({ rule: Type.String(), subject: Type.String(), detail: Type.String() }),
            ),
          }),
        },
        'ShopSummary',
      ),
    },
  },
}
