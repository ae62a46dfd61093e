/**
 * Every route of the shop: orders, inventory, summary, stores.
 *
 * Registered by the composition root, which answers 503 before the instance runs. Knows nothing of
 * brokers and engines: all goes through `ShopAccess`.
 */

import { type FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { parseExactJson } from '../shared/exact-json.ts'
import { uuidV7 } from '../shared/ids.ts'
import { parseStockRequest } from '../shared/stock-request.ts'
import { orderRoutes } from './order-routes.ts'
import { productView } from './order-view.ts'
import { RouteProblem } from './route-problem.ts'
import { type RangeRequest, type ShopAccess } from './shop-access.ts'

const rowsMax = 10_000
const rowsDefault = 100

const productParams = Type.Object({ productId: Type.String({ minLength: 1, maxLength: 200 }) })

const rangeQuery = Type.Object(
  {
    from: Type.Optional(Type.String()),
    to: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: rowsMax })),
  },
  { additionalProperties: false },
)

interface ProductParams {
  readonly productId: string
}

export const shopRoutes = (server: FastifyInstance, access: ShopAccess): void => {
  keepDigitsOfAmounts(server)
  orderRoutes(server, access)
  inventoryRoutes(server, access)
  storeRoutes(server, access)
  server.get('/api/status', () => access.status())
  server.get('/api/summary', () => access.summary())
}

/** JSON.parse would round an amount before anybody could refuse it as inexact. */
const keepDigitsOfAmounts = (server: FastifyInstance): void => {
  server.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    async (_request: unknown, body: string) => {
      try {
        return parseExactJson(body)
      } catch (error) {
        throw new RouteProblem(400, `The body is not JSON: ${(error as Error).message}`)
      }
    },
  )
}

const inventoryRoutes = (server: FastifyInstance, access: ShopAccess): void => {
  const path = '/api/inventory/:productId'
  server.get<{ Params: ProductParams }>(
    path,
    { schema: { params: productParams } },
    async ({ params: { productId } }, reply) => {
      const row = await access.product(productId)
      if (row === undefined) throw new RouteProblem(404, `There is no product ${productId} (yet).`)
      return reply.header('etag', `"${row.version}"`).send(productView(row))
    },
  )
  server.put<{ Params: ProductParams }>(
    path,
    { schema: { params: productParams } },
    async ({ params: { productId }, body, headers }, reply) => {
      const key = headers['idempotency-key']
      const parsed = parseStockRequest(body)
      if (!parsed.ok) {
        throw new RouteProblem(400, 'The update does not match its schema.', parsed.problems)
      }
      await access.updateStock(
        productId,
        parsed.value,
        typeof key === 'string' && key !== '' ? key : uuidV7(Date.now()),
      )
      return reply
        .code(202)
        .header('location', `/api/inventory/${encodeURIComponent(productId)}`)
        .send({ productId, status: 'accepted' })
    },
  )
}

const storeRoutes = (server: FastifyInstance, access: ShopAccess): void => {
  server.get<{ Params: { store: string; '*': string } }>(
    '/api/stores/:store/rows/*',
    async ({ params }) => {
      const value = await ofStore(() => access.storeGet(params.store, params['*']))
      if (value === undefined) {
        throw new RouteProblem(404, `Store ${params.store} has no key ${params['*']}.`)
      }
      return { key: params['*'], value }
    },
  )
  server.get<{ Params: { store: string }; Querystring: Partial<RangeRequest> }>(
    '/api/stores/:store/rows',
    { schema: { querystring: rangeQuery } },
    async ({ params, query }) => {
      const range = { ...query, limit: query.limit ?? rowsDefault }
      const rows = await ofStore(() => access.storeRange(params.store, range))
      return { rows: rows.map(([key, value]) => ({ key, value })) }
    },
  )
}

/** An unknown store is the caller's mistake; the message names the stores there are. */
const ofStore = async <T>(read: () => Promise<T>): Promise<T> => {
  try {
    return await read()
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'STREAMS_CONFIG') throw error
    throw new RouteProblem(404, (error as Error).message)
  }
}
