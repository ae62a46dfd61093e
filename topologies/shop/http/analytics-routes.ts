/**
 * `/api/analytics/{orders,payments,inventory,shipping}`: what the shop did, by minute or hour.
 *
 * Figures of all partitions, or 503 while one of them moves; `sources` says as of when. Which event
 * counts where is in `docs/analytics.md`. A shop whose configuration leaves the analytics out
 * answers 404.
 */

import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { RouteDoc } from '../../../src/index.ts'
import type { FigureRow } from '../analytics/figure-row.ts'
import type { FigureKind } from '../analytics/figure-key.ts'
import { statusOfEvent } from '../analytics/order-fact.ts'
import { type Figures, type FigureSubject, totalsOf, windowsOf } from '../analytics/read-figures.ts'
import { stockSums } from '../analytics/stock-fact.ts'
import type { StockLevel } from '../analytics/stock-levels.ts'
import { isoTime } from '../shared/iso-time.ts'
import {
  type FigureQuery,
  figureQuerySchema,
  type FigureRequest,
  type FilterName,
  parseFigureQuery,
} from './analytics-query.ts'
import { sourceView } from './answer-source.ts'
import {
  inventoryFiguresDoc,
  orderFiguresDoc,
  paymentFiguresDoc,
  shippingFiguresDoc,
} from './docs/analytics-docs.ts'
import { delaySums, orderSums, outcomeSums, paymentSums, shipmentSums } from './figure-sums.ts'
import { durationView, freshnessView, spanView, sumsView, windowsView } from './figure-view.ts'
import { ofStore } from './of-store.ts'
import type { PageRequest, ShopHost } from './shop-access.ts'

const productsMax = 1_000
const productsDefault = 100

interface FigureRoute {
  readonly subject: FigureSubject
  readonly doc: RouteDoc
  readonly kind: FigureKind
  readonly filters: readonly FilterName[]
  readonly view: (row: FigureRow) => object
  /** Further fields, of the same request. */
  readonly more?: (figures: Figures, request: FigureRequest) => object | Promise<object>
}

export const analyticsRoutes = (server: FastifyInstance, access: ShopHost): void => {
  figureRoute(server, access, {
    subject: 'orders',
    doc: orderFiguresDoc,
    kind: 'order',
    filters: ['currency'],
    view: orderRowView,
  })
  figureRoute(server, access, {
    subject: 'payments',
    doc: paymentFiguresDoc,
    kind: 'payment',
    filters: ['currency', 'method'],
    view: paymentRowView,
    more: async (payments, request) => {
      const { range, filter } = request
      const orders = await ofStore(() => access.figures('orders', range))
      const delays = { windows: windowsOf(orders, 'delay', filter), range }
      return {
        methods: methodsOf(payments, request),
        delays: { ...windowsView(delays, delayRowView), ...freshnessView(orders) },
      }
    },
  })
  figureRoute(server, access, {
    subject: 'shipping',
    doc: shippingFiguresDoc,
    kind: 'shipment',
    filters: ['carrier'],
    view: shipmentRowView,
  })
  inventoryRoute(server, access)
}

const figureRoute = (
  server: FastifyInstance,
  access: ShopHost,
  { subject, doc, kind, filters, view, more }: FigureRoute,
): void => {
  server.get<{ Querystring: FigureQuery }>(
    `/api/analytics/${subject}`,
    { schema: { querystring: figureQuerySchema(filters) }, config: { doc } },
    async ({ query }) => {
      const request = parseFigureQuery(query, Date.now())
      const { range, filter } = request
      const figures = await ofStore(() => access.figures(subject, range))
      return {
        ...spanView(range),
        ...windowsView({ windows: windowsOf(figures, kind, filter), range }, view),
        ...(await more?.(figures, request)),
        ...freshnessView(figures),
      }
    },
  )
}

const pageSchema = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: productsMax })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096 })),
}

/** Movements by window, and a page of the products as they are now. */
const inventoryRoute = (server: FastifyInstance, access: ShopHost): void => {
  server.get<{ Querystring: FigureQuery & Partial<PageRequest> }>(
    '/api/analytics/inventory',
    {
      schema: { querystring: figureQuerySchema(['products'], pageSchema) },
      config: { doc: inventoryFiguresDoc },
    },
    async ({ query }) => {
      const { range, products: which } = parseFigureQuery(query, Date.now())
      const { limit = productsDefault, cursor } = query
      const [figures, levels] = await ofStore(() =>
        Promise.all([access.figures('stock', range), access.stockLevels({ which, limit, cursor })]),
      )
      return {
        ...spanView(range),
        ...windowsView({ windows: windowsOf(figures, 'stock'), range }, stockRowView),
        ...freshnessView(figures),
        products: levels.products.map(levelView),
        cursor: levels.cursor,
        productSources: levels.sources.map(sourceView),
      }
    },
  )
}

const orderRowView = (row: FigureRow): object => ({
  statuses: sumsView(row, Object.values(statusOfEvent)),
  ...sumsView(row, orderSums),
})

const paymentRowView = (row: FigureRow): object => ({
  ...sumsView(row, paymentSums),
  successRate: successRateOf(row),
})

/** Of charges whose outcome is definite; undefined without any. */
const successRateOf = (row: FigureRow): number | undefined => {
  const { completed, failed } = sumsView(row, outcomeSums)
  return completed + failed === 0 ? undefined : completed / (completed + failed)
}

/** Over all currencies: how often a charge succeeds depends on how it is made. */
const methodsOf = (payments: Figures, { filter }: FigureRequest): readonly object[] => {
  const windows = windowsOf(payments, 'payment', filter)
  const byMethod = windows.map(({ parts, row }) => ({ parts: { method: parts['method']! }, row }))
  return totalsOf(byMethod).map(({ parts, row }) => ({
    ...parts,
    ...sumsView(row, outcomeSums),
    successRate: successRateOf(row),
  }))
}

/** What is not paid yet may still be. */
const delayRowView = (row: FigureRow): object => {
  const sums = sumsView(row, delaySums)
  const { awaited, paid, paidLate } = sums
  const delay = durationView(row.durations?.['delay'])
  return { ...sums, unpaid: awaited - paid - paidLate, delay }
}

const shipmentRowView = (row: FigureRow): object => ({
  ...sumsView(row, shipmentSums),
  createdToShipped: durationView(row.durations?.['createdToShipped']),
  shippedToDelivered: durationView(row.durations?.['shippedToDelivered']),
})

const stockRowView = (row: FigureRow): object => sumsView(row, stockSums)

const levelView = ({ lowSinceMs, ...level }: StockLevel): object => ({
  ...level,
  lowSince: lowSinceMs === undefined ? undefined : isoTime(lowSinceMs),
})
