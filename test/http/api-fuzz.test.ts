/**
 * Goal: whatever is sent to the API, the answer is a declared one and no 5xx, and what was accepted
 * is done.
 *
 * Method: seeded requests made from the OpenAPI document, most of them fitting, sent several at
 * once to a real instance; ids come from a few, so that requests meet. Invariants afterwards: every
 * accepted order ends, the shop's invariants hold, and there is no dead letter. What Schemathesis
 * sends is more (`scripts/fuzz-http.mjs`), but too slow for here.
 */

import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { shopApiText } from '../../src/cli/shop-server.ts'
import type { OpenApiDocument } from '../../src/http/openapi/openapi-document.ts'
import { finalStatuses, type OrderStatus } from '../../topologies/shop/orders/order-row.ts'
import { type JsonSchema, schemaArbitrary } from './schema-arbitrary.ts'
import { type Answer, orderOf, ShopClient } from './shop-client.ts'

const requests = 400
const atOnce = 8
const seed = Number(process.env['API_FUZZ_SEED'] ?? 20_261_121)

const client = new ShopClient()
const { call, post, put, eventually } = client

beforeAll(async () => {
  await client.open()
  await put('/api/inventory/tea', { operation: 'ADD', quantity: 1_000_000 })
}, 30_000)

afterAll(async () => {
  await client.close()
  client.remove()
  expect(client.deadLetters).toBe(0)
})

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: JsonSchema
}

interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Record<string, { readonly schema: JsonSchema }> }
}

interface ApiRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const { paths, components } = JSON.parse(await shopApiText()) as OpenApiDocument
const named = components.schemas as Readonly<Record<string, JsonSchema>>

/** Streams last as long as their orders: `order-stream.test.ts` has them. */
const operations = Object.entries(paths)
  .filter(([path]) => !path.endsWith('/stream'))
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation: operation as Operation,
    })),
  )

const known = fc.constantFrom('f-1', 'f-2', 'f-3', 'tea', 'orders', 'products', 'c-1')
const waits = fc.integer({ min: -1, max: 20 })

const valueOf = ({ name, in: place, schema }: Parameter): fc.Arbitrary<string> => {
  if (name === 'wait') return waits.map(String)
  const made = schemaArbitrary(schema, named).map((value) =>
    typeof value === 'string' ? value : JSON.stringify(value),
  )
  if (place === 'path') return fc.oneof(known, known, made)
  // a header can hold no more than these
  return place === 'header' ? made.map((text) => text.replaceAll(/[^ -~]/g, '-')) : made
}

const requestOf = ({ path, method, operation }: (typeof operations)[number]) => {
  const { parameters = [], requestBody } = operation
  const values = fc.tuple(
    ...parameters.map((one) =>
      one.in === 'path' ? valueOf(one) : fc.option(valueOf(one), { nil: undefined }),
    ),
  )
  const schema = requestBody?.content['application/json']?.schema
  const body = schema === undefined ? fc.constant(undefined) : bodyOf(path, schema)
  return fc.tuple(values, body).map(([texts, given]): ApiRequest => {
    let url = path
    const headers: Record<string, string> = {}
    const query = new URLSearchParams()
    for (const [index, { name, in: place }] of parameters.entries()) {
      const text = texts[index]
      if (text === undefined) continue
      if (place === 'path') url = url.replace(`{${name}}`, encodeURIComponent(text.toWellFormed()))
      else if (place === 'query') query.set(name, text.toWellFormed())
      else headers[name] = text
    }
    const full = query.size === 0 ? url : `${url}?${query}`
    const request = { method, path: full, headers }
    return given === undefined ? request : { ...request, body: JSON.stringify(given) }
  })
}

/** What fits, too, of few ids: most that is made from the schema is wrong somewhere. */
const bodyOf = (path: string, schema: JsonSchema): fc.Arbitrary<unknown> => {
  const made = schemaArbitrary(schema, named)
  const isOfOrder = path === '/api/payments' || path === '/api/shipments'
  if (isOfOrder) return fc.oneof(made, fc.record({ orderId: known }))
  if (path !== '/api/orders') return made
  const fits = fc
    .record({
      orderId: known,
      paymentMethod: fc.constantFrom('card', 'transfer'),
      notes: fc.string({ minLength: 1 }),
    })
    .map((more) => orderOf(1, more))
  return fc.oneof(made, fits)
}

const send = async ({ method, path, headers, body }: ApiRequest): Promise<Answer> => {
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const init = { method, headers: { ...headers, ...type } }
  return call(path, body === undefined ? init : { ...init, body })
}

it(`${requests} requests are answered as declared`, { timeout: 60_000 }, async () => {
  const any = fc.oneof(...operations.map(requestOf))
  const sent = fc.sample(any, { numRuns: requests, seed })
  const statuses = new Map<number, number>()
  const orders = new Set<string>()
  for (let start = 0; start < sent.length; start += atOnce) {
    const batch = sent.slice(start, start + atOnce)
    const answers = await Promise.all(batch.map((request) => send(request)))
    for (const [index, { status, headers }] of answers.entries()) {
      const request = batch[index]!
      expect(status, `API_FUZZ_SEED=${seed} ${JSON.stringify(request)}`).toBeLessThan(500)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const isPlaced = request.method === 'POST' && request.path.startsWith('/api/orders')
      if (isPlaced && status <= 202) orders.add(headers.get('location')!)
    }
  }
  // it would prove nothing if all were refused
  for (const status of [200, 202, 400, 404, 409]) expect([...statuses.keys()]).toContain(status)
  expect(orders.size).toBeGreaterThan(1)
  await post('/api/orders', orderOf(1, { orderId: 'last' }))
  for (const path of orders) {
    await call(path, { method: 'DELETE' }) // who waits for a transfer would wait for long
    await eventually(path, ({ body }) => finalStatuses.has(body['status'] as OrderStatus))
  }
  const { body } = await eventually('/api/summary', (answer) => answer.body['open'] === 0)
  expect(body['invariants']).toEqual({ checked: expect.any(Number) as number, violations: [] })
})
