/**
 * Goal: an order in parts as the API tells it, on a real instance with `--backorders on`; every
 * answer is one that the OpenAPI document allows.
 */

import { expect, it } from 'vitest'
import { stockedShop } from './stocked-shop.ts'

const { call, post, put, eventually } = stockedShop({ flags: { backorders: 'on' } })

const item = (productId: string): object => ({ productId, quantity: 2, price: '2.50' })

it('tells what waits, ships it when it comes, and rebuilds the order from its events', async () => {
  const order = { customerId: 'c-1', currency: 'EUR', items: [item('tea'), item('pot')] }
  const path = (await post('/api/orders', order)).headers.get('location')!
  const isDelivered = (count: number, body: Record<string, unknown>): boolean => {
    const shipments = (body['shipments'] ?? []) as readonly { status: string }[]
    return shipments.filter(({ status }) => status === 'DELIVERED').length === count
  }
  const waiting = await eventually(path, ({ body }) => isDelivered(1, body))
  expect(waiting.body).toMatchObject({ status: 'backordered', fulfilment: 'partially-shipped' })
  expect((await call('/api/inventory/pot')).body).toMatchObject({ waiting: 2, available: 0 })
  await put('/api/inventory/pot', { operation: 'ADD', quantity: 3 })
  const { body } = await eventually(path, (answer) => answer.body['status'] === 'completed')
  expect(body).toMatchObject({ fulfilment: 'shipped', captured: '10.00', refunded: '0.00' })
  expect(isDelivered(2, body)).toBe(true)
  const [, second] = body['items'] as readonly { shipmentId: string }[]
  const shipment = await call(`/api/shipments/${second!.shipmentId}`)
  expect(shipment.body).toMatchObject({
    shipmentNumber: 2,
    items: [{ productId: 'pot', quantity: 2 }],
  })
  expect((await call(`${path}/history`)).body['rebuilt']).toEqual({
    verdict: 'same',
    differences: [],
  })
  expect((await call('/api/inventory/pot')).body).toMatchObject({ onHand: 1 })
})
