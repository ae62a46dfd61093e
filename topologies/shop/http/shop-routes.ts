/**
 * Every route of the shop: orders, inventory, payments, shipments, customers, analytics, summary,
 * stores.
 *
 * Registered by the composition root, which answers 503 before the instance runs. Knows nothing of
 * brokers and engines: all goes through `ShopAccess`.
 */

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { parseExactJson, utf8Text } from '../shared/exact-json.ts'
import { analyticsRoutes } from './analytics-routes.ts'
import { customerRoutes } from './customer-routes.ts'
import { statusDoc, storeRowDoc, storeRowsDoc, summaryDoc } from './docs/store-docs.ts'
import { inventoryRoutes } from './inventory-routes.ts'
import { ofStore } from './of-store.ts'
import { orderRoutes } from './order-routes.ts'
import { paymentRoutes } from './payment-routes.ts'
import { problemKinds } from './problem-kinds.ts'
import { shipmentRoutes } from './shipment-routes.ts'
import { sourceView } from './answer-source.ts'
import { RouteProblem } from './route-problem.ts'
import type { RangeRequest, RowBounds, ShopHost, SourcedRows } from './shop-access.ts'

const rowsMax = 10_000
const rowsDefault = 100

const bounds = { from: Type.Optional(Type.String()), to: Type.Optional(Type.String()) }
const boundsQuery = Type.Object(bounds, { additionalProperties: false })
const rangeQuery = Type.Object(
  {
    ...bounds,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: rowsMax })),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096 })),
  },
  { additionalProperties: false },
)

export const shopRoutes = (server: FastifyInstance, access: ShopHost): void => {
  keepDigitsOfAmounts(server)
  orderRoutes(server, access)
  inventoryRoutes(server, access)
  paymentRoutes(server, access)
  shipmentRoutes(server, access)
  customerRoutes(server, access)
  analyticsRoutes(server, access)
  storeRoutes(server, access)
  server.get('/api/status', { config: { doc: statusDoc } }, () => access.status())
  server.get('/api/summary', { config: { doc: summaryDoc } }, () => access.summary())
}

/** JSON.parse would round an amount before anybody could refuse it as inexact. */
const keepDigitsOfAmounts = (server: FastifyInstance): void => {
  server.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    async ({ method }: FastifyRequest, body: Buffer) => {
      // many clients name a type for whatever they send
      if (method === 'DELETE' && body.length === 0) return undefined
      try {
        return parseExactJson(utf8Text(body))
      } catch (error) {
        throw new RouteProblem(400, `The body is not JSON: ${(error as Error).message}`)
      }
    },
  )
}

const storeRoutes = (server: FastifyInstance, access: ShopHost): void => {
  server.get<{ Params: { store: string; '*': string }; Querystring: RowBounds }>(
    '/api/stores/:store/rows/*',
    { schema: { querystring: boundsQuery }, config: { doc: storeRowDoc } },
    async ({ params, query }) => {
      const read = (): Promise<SourcedRows> => access.storeGetAll(params.store, params['*'], query)
      const { rows, sources } = await ofStore(read)
      if (rows[0] === undefined) {
        const detail = `Store ${params.store} has no key ${params['*']}.`
        throw new RouteProblem(problemKinds.noSuchRow, detail)
      }
      return { ...rows[0], rows, sources: sources.map(sourceView) }
    },
  )
  server.get<{ Params: { store: string }; Querystring: Partial<RangeRequest> }>(
    '/api/stores/:store/rows',
    { schema: { querystring: rangeQuery }, config: { doc: storeRowsDoc } },
    async ({ params, query }) => {
      const range = { ...query, limit: query.limit ?? rowsDefault }
      const page = await ofStore(() => access.storeRange(params.store, range))
      return { ...page, sources: page.sources.map(sourceView) }
    },
  )
}
