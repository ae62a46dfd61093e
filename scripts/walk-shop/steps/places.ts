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

/** With backorders on: one is sent in parts, of one the part that waits is given up. */
export const cup = '{run}-cup'
export const pot = '{run}-pot'
export const partsOrder = '{run}-parts'
export const givenUpOrder = '{run}-given-up'

/** What the customer says of itself: when it is erased no topic may have it in the clear. */
export const address = '{run} Lantern Lane 7, SE'
export const notes = '{run} ring at the neighbour'
export const words = '{run}-moved-away'

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

/** What the inventory answers an order about its two units of a product. */
export const stockEvent = (type: string, orderId: string, productId = tea): ExpectedEvent => ({
  topic: topics.inventory,
  type,
  aggregate: productId,
  data: { orderId, quantity: 2 },
})

/** Of the order's one charge. */
export const captured = (
  orderId: string,
  capturedMinor: number,
  method: 'card' | 'transfer',
): ExpectedEvent => ({
  topic: topics.payments,
  type: 'payment.processed',
  data: { orderId, status: 'COMPLETED', capturedMinor, method },
})

export const notice = (kind: string, orderId: string): ExpectedEvent => ({
  topic: topics.notifications,
  type: 'notification.requested',
  aggregate: orderId,
  data: { kind, customerId: customer },
})
