/** Ids, topics and bodies that several steps name. */

import type { ExpectedEvent } from '../step.ts'

export const topics = {
  orders: 'ecom.orders',
  payments: 'ecom.payments',
  inventory: 'ecom.inventory',
  shipments: 'ecom.shipments',
  platform: 'ecom.platform',
  notifications: 'ecom.notifications',
} as const

export const tea = '{run}-tea'
export const rare = '{run}-rare'
export const customer = '{run}-ann'

/** Paid by card, so it goes on by itself. */
export const cardOrder = '{run}-card'
/** These wait for a bank transfer: one gets it, one too little of it, one is cancelled before. */
export const paidOrder = '{run}-paid'
export const shortOrder = '{run}-short'
export const droppedOrder = '{run}-dropped'
/** Of a product that nobody ever stocked. */
export const emptyOrder = '{run}-empty'

/** An order of two units, 5.00 EUR. */
export const orderBody = (orderId: string, more: object = {}): object => ({
  orderId,
  customerId: customer,
  currency: 'EUR',
  items: [{ productId: tea, quantity: 2, price: '2.50' }],
  ...more,
})

export const transfer = { paymentMethod: 'transfer' }

/** Makes a command that is asked again the same command. */
export const keyed = (name: string): Readonly<Record<string, string>> => ({
  'idempotency-key': `{run}-${name}`,
})

export const orderEvent = (type: string, aggregate: string, data: object = {}): ExpectedEvent => ({
  topic: topics.orders,
  type,
  aggregate,
  data: { orderId: aggregate, ...data },
})

export const platformEvent = (type: string, aggregate: string): ExpectedEvent => ({
  topic: topics.platform,
  type,
  aggregate,
})

/** What the inventory answers an order about its tea. */
export const stockEvent = (type: string, orderId: string): ExpectedEvent => ({
  topic: topics.inventory,
  type,
  aggregate: tea,
  data: { orderId, quantity: 2 },
})

export const notice = (kind: string, orderId: string): ExpectedEvent => ({
  topic: topics.notifications,
  type: 'notification.requested',
  aggregate: orderId,
  data: { kind, customerId: customer },
})
