/**
 * `/api/customers/{customerId}`: what happened to a customer's orders, and the end of their
 * personal data.
 *
 * The list is oldest first and follows the orders by a moment; `Millrace-Offsets` tells how far.
 * A customer without orders has an empty list: who is a customer is not known here. A shop whose
 * configuration leaves the customers out answers 404.
 */

import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { CustomerRow } from '../customers/customer-row.ts'
import { isoTime } from '../shared/iso-time.ts'
import { formatMinor } from '../shared/money.ts'
import { tellSource } from './answer-source.ts'
import { customerOrdersDoc, eraseCustomerDoc } from './docs/store-docs.ts'
import { ofStore } from './of-store.ts'
import { pathId } from './path-id.ts'
import type { PageRequest, ShopHost } from './shop-access.ts'

const eventsMax = 1_000
const eventsDefault = 100

const pageQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: eventsMax })),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096 })),
  },
  { additionalProperties: false },
)

export const customerRoutes = (server: FastifyInstance, access: ShopHost): void => {
  server.get<{ Params: { customerId: string }; Querystring: Partial<PageRequest> }>(
    '/api/customers/:customerId/orders',
    { schema: { querystring: pageQuery }, config: { doc: customerOrdersDoc } },
    async ({ params, query }, reply) => {
      const customerId = pathId(params.customerId, 'customer')
      const page = { ...query, limit: query.limit ?? eventsDefault }
      const { rows, cursor, source } = await ofStore(() => access.customerOrders(customerId, page))
      tellSource(reply, source)
      return { customerId, events: rows.map(eventView), cursor }
    },
  )
  server.delete<{ Params: { customerId: string } }>(
    '/api/customers/:customerId/personal-data',
    { config: { doc: eraseCustomerDoc } },
    async ({ params }) => {
      const customerId = pathId(params.customerId, 'customer')
      return { customerId, keys: await access.eraseCustomer(customerId) }
    },
  )
}

const eventView = ({ atMs, totalMinor, refundedMinor, ...row }: CustomerRow): object => {
  const money = (amountMinor: number | undefined): string | undefined =>
    amountMinor === undefined || row.currency === undefined
      ? undefined
      : formatMinor(amountMinor, row.currency)
  return {
    ...row,
    total: money(totalMinor),
    refunded: money(refundedMinor),
    timestamp: isoTime(atMs),
  }
}
