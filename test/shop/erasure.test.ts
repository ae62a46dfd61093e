/**
 * Goal: what names a customer is in no topic, store or file in the clear, is shown to who asks the
 * shop, and can be read by nobody once it is erased; orders, money and stock stay whole.
 *
 * Method: a real instance on RocksDB and the embedded broker. Every record of every topic and every
 * file of the directory is searched for the texts; the same search must find the customer's id, or
 * it proves nothing.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readCommitted } from '../../src/broker/read-committed.ts'
import { RemoteShop } from '../../src/cli/remote-shop.ts'
import { OrderInUseError } from '../../topologies/shop/http/shop-access.ts'
import { parseOrderRequest } from '../../topologies/shop/shared/order-request.ts'
import { orderOf } from '../http/shop-client.ts'
import { stockedShop } from '../http/stocked-shop.ts'

const client = stockedShop({ mayLeaveDeadLetters: true })
const { call, post, put, eventually } = client

const customerId = 'customer-4711'
const shippingAddress = 'Annika Lindqvist, Storgatan 7, Kiruna, SE'
const notes = 'Ring at Björklund beneath'
const reason = 'moved to Västerås with Henrik'
const later = 'Annika Lindqvist, Hamngatan 12, Luleå, SE'
const secrets = ['Lindqvist', 'Storgatan', 'Björklund', 'Henrik', 'Hamngatan', 'Magdalena']

const personal = (orderId: string, more: object = {}): object =>
  orderOf(1, { orderId, customerId, shippingAddress, notes, ...more })

const textOf = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString('utf8')

/** Of every committed record of every topic; the files have the others. */
const topicTexts = async (): Promise<ReadonlyMap<string, string>> => {
  const { broker } = client.instance
  const texts = new Map<string, string>()
  for (const { name, partitions } of await broker.topics.list()) {
    let text = ''
    for (let partition = 0; partition < partitions; partition++) {
      const at = { topic: name, partition }
      const { logStartOffset: from, lastStableOffset: to } = await broker.topics.offsets(at)
      for await (const { record } of readCommitted(broker, { ...at, from, to })) {
        text += `${textOf(record.key)}\n${textOf(record.value)}\n`
      }
    }
    texts.set(name, text)
  }
  return texts
}

const fileTexts = (): ReadonlyMap<string, string> => {
  const files = readdirSync(client.stateDir, { recursive: true, withFileTypes: true })
  const paths = files
    .filter((file) => file.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  return new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]))
}

const having = (texts: ReadonlyMap<string, string>, wanted: readonly string[]): string[] =>
  [...texts].flatMap(([name, text]) =>
    wanted.filter((word) => text.includes(word)).map((word) => `${word} in ${name}`),
  )

const expectNoSecrets = async (): Promise<void> => {
  const topics = await topicTexts()
  expect(having(topics, secrets)).toEqual([])
  expect(having(topics, [customerId])).toEqual(
    expect.arrayContaining(
      ['ecom.order-commands', 'ecom.orders', 'ecom.audit', 'ecom.dlq', 'shop-orders-changelog'].map(
        (name) => `${customerId} in ${name}`,
      ),
    ),
  )
  expect(having(fileTexts(), secrets)).toEqual([])
  expect(having(fileTexts(), [customerId]).length).toBeGreaterThan(0)
}

/** A loader beside the process has no keys: placing tells it whose an id is. */
const expectKnownFromOutside = async (): Promise<void> => {
  const outside = new RemoteShop(client.instance.address)
  const parsed = parseOrderRequest(personal('o-1'))
  if (!parsed.ok) throw new Error('a bad order')
  const { value: same } = parsed
  expect(await outside.createHashes('o-1', same)).toBeUndefined()
  await outside.placeOrder('o-1', same)
  const other = outside.placeOrder('o-1', { ...same, notes: 'for Magdalena' })
  await expect(other).rejects.toBeInstanceOf(OrderInUseError)
}

it('seals what is personal, shows it, and erases it for good', { timeout: 60_000 }, async () => {
  const ordered = await post('/api/orders?wait=10000', personal('o-1'))
  expect(ordered.body).toMatchObject({ status: 'completed', shippingAddress, notes })
  const again = await post('/api/orders?wait=10000', personal('o-1'))
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
  expect((await post('/api/orders', personal('o-1', { notes: 'other' }))).status).toBe(409)
  await post('/api/orders', personal('o-2', { paymentMethod: 'transfer' }))
  const moved = await put('/api/orders/o-2?wait=10000', { shippingAddress: later })
  expect(moved.body).toMatchObject({ shippingAddress: later, notes })
  await call(`/api/orders/o-2?reason=${encodeURIComponent(reason)}`, { method: 'DELETE' })
  await eventually('/api/orders/o-2', ({ body }) => body['status'] === 'cancelled')
  expect((await call('/api/orders/o-2')).body).toMatchObject({ reason, shippingAddress: later })
  await expectKnownFromOutside()
  const { shipmentId } = ordered.body['shipment'] as { readonly shipmentId: string }
  const shipment = await call(`/api/shipments/${shipmentId}`)
  expect(shipment.body).toMatchObject({ shippingAddress })
  const story = (await call('/api/orders/o-1/history')).body
  expect(JSON.stringify(story['events'])).toContain(shippingAddress)
  expect(story['rebuilt']).toEqual({ verdict: 'same', differences: [] })
  await client.close()
  await client.whileClosed((shop) =>
    shop.placeOrder('o-bad', {
      customerId,
      currency: 'EUR',
      paymentMethod: 'card',
      items: [{ productId: 'tea', quantity: 0, priceMinor: 1 }],
      notes: 'for Magdalena',
    }),
  )
  await client.open()
  await eventually('/api/dlq/stats', ({ body }) => JSON.stringify(body).includes('BAD_COMMAND'))
  await expectNoSecrets()
  const raw = await call('/api/stores/orders/rows/o-1')
  expect(JSON.stringify(raw.body)).toMatch(/enc:1:[\w-]{16}:[\w-]+,SE"/)

  const erased = await call(`/api/customers/${customerId}/personal-data`, { method: 'DELETE' })
  expect([erased.status, erased.body]).toEqual([200, { customerId, keys: 1 }])
  const isErased = { shippingAddress: '[erased]', notes: '[erased]' }
  const seen = async (): Promise<void> => {
    expect((await call('/api/orders/o-1')).body).toMatchObject({ ...isErased, total: '2.50' })
    expect((await call('/api/orders/o-2')).body).toMatchObject({ ...isErased, reason: '[erased]' })
    expect((await call(`/api/shipments/${shipmentId}`)).body).toMatchObject({
      shippingAddress: '[erased]',
    })
    const told = await call('/api/orders/o-1/history')
    expect(having(new Map([['history', JSON.stringify(told.body)]]), secrets)).toEqual([])
    expect(told.body['rebuilt']).toEqual({ verdict: 'same', differences: [] })
    const listed = JSON.stringify((await call(`/api/customers/${customerId}/orders`)).body)
    expect([listed.includes('[erased]'), listed.includes('enc:1:')]).toEqual([true, false])
  }
  await seen()
  // whether the body is the same cannot be known any more: it is refused, and makes no order
  expect((await post('/api/orders', personal('o-1'))).status).toBe(409)
  const fresh = await post('/api/orders?wait=10000', personal('o-3'))
  expect(fresh.body).toMatchObject({ status: 'completed', shippingAddress, notes })
  await client.close()
  await client.open()
  await seen()
  expect((await call('/api/orders/o-3')).body).toMatchObject({ shippingAddress, notes })
  await client.close()
  // the operator's way, here with the shop stopped
  await client.whileClosed(async (shop) => {
    expect(await shop.eraseCustomer(customerId)).toBe(1)
    expect(await shop.eraseCustomer(customerId)).toBe(0)
  })
  await client.open()
  expect((await call('/api/orders/o-3')).body).toMatchObject(isErased)
  await expectNoSecrets()
  const summary = (await call('/api/summary')).body
  expect(summary).toMatchObject({ orders: 3, invariants: { violations: [] } })
  await client.close()
})
