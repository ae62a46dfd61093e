/**
 * Every route of the shop: orders, inventory, summary, stores.
 *
 * Registered by the composition root, which answers 503 before the instance runs. Knows nothing of
 * brokers and engines: all goes through `ShopAccess`.
 */

import { type FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { uuidV7 } from '../shared/ids.ts'
import { orderRoutes } from './order-routes.ts'
import { productView } from './order-view.ts'
import { RouteProblem } from './route-problem.ts'
import { type RangeRequest, type ShopAccess, type StockUpdate } from './shop-access.ts'

const quantityMax = 1_000_000_000
const rowsMax = 10_000
const rowsDefault = 100

const productParams = Type.Object({ productId: Type.String({ minLength: 1, maxLength: 200 }) })

const stockBody = Type.Object(
  {
    operation: Type.Union([Type.Literal('ADD'), Type.Literal('SUBTRACT')]),
    quantity: Type.Integer({ minimum: 0, maximum: quantityMax }),
    reason: Type.Optional(
      Type.Union([Type.Literal('ORDER'), Type.Literal('RESTOCK'), Type.Literal('ADJUSTMENT')]),
    ),
    force: Type.Optional(Type.Boolean()),
    safetyStock: Type.Optional(Type.Integer({ minimum: 0, maximum: quantityMax })),
  },
  { additionalProperties: false },
)

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

type StockBody = Omit<StockUpdate, 'reason'> & Partial<Pick<StockUpdate, 'reason'>>

export const shopRoutes = (server: FastifyInstance, access: ShopAccess): void => {
  orderRoutes(server, access)
  inventoryRoutes(server, access)
  storeRoutes(server, access)
  server.get('/api/status', () => access.status())
  server.get('/api/summary', () => access.summary())
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
  server.put<{ Params: ProductParams; Body: StockBody }>(
    path,
    { schema: { params: productParams, body: stockBody } },
    async ({ params: { productId }, body, headers }, reply) => {
      const key = headers['idempotency-key']
      const update: StockUpdate = { ...body, reason: body.reason ?? 'ADJUSTMENT' }
      await access.updateStock(
        productId,
        update,
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
