/** What the routes of the inventory say of themselves. */

import { Type } from 'typebox'
import type { RouteDoc } from '../../../../src/index.ts'
import { stockUnitsMax } from '../../shared/order-limits.ts'
import { problemKinds } from '../problem-kinds.ts'
import {
  count,
  decisionProperties,
  etagHeader,
  exactly,
  id,
  ifMatchOneHeader,
  ifNoneMatchHeader,
  keyHeader,
  locationHeader,
  oneOf,
  replayedHeader,
  rowAnswers,
  sourceHeaders,
} from './shared-schemas.ts'

const tag = 'inventory'
const params = { productId: id() }
const { noSuchProduct, noSuchUpdate, stockRefused, keyInFlight, keyReused, versionPassed } =
  problemKinds

const units = (description?: string) =>
  Type.Integer({
    minimum: 0,
    maximum: stockUnitsMax,
    ...(description !== undefined && { description }),
  })

const options = {
  operation: oneOf(['ADD', 'SUBTRACT']),
  reason: Type.Optional(oneOf(['RESTOCK', 'ORDER', 'ADJUSTMENT'], 'Default RESTOCK.')),
  force: Type.Optional(
    Type.Boolean({ description: 'SUBTRACT below what is held breaks the newest holds.' }),
  ),
  safetyStock: Type.Optional(units('Never promised to orders; unchanged if absent.')),
}

const stockRequest = Type.Union(
  [
    exactly({ ...options, quantity: units() }),
    exactly({ ...options, quantityChange: units('Another name of quantity.') }),
  ],
  { title: 'StockRequest' },
)

const product = exactly(
  {
    productId: id(),
    version: count,
    onHand: count,
    held: count,
    safetyStock: count,
    available: count,
    addedTotal: count,
    subtractedTotal: count,
    deductedTotal: count,
    returnedTotal: count,
    isLow: Type.Boolean(),
    waiting: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Units that orders wait for; absent if none do.' }),
    ),
  },
  'Product',
)

const decision = exactly({ ...decisionProperties, version: count }, 'StockDecision')

export const getProductDoc: RouteDoc = {
  tag,
  summary: 'Look at the stock of a product.',
  params,
  headers: ifNoneMatchHeader,
  answers: rowAnswers(product),
  problems: [noSuchProduct],
}

export const updateStockDoc: RouteDoc = {
  tag,
  summary: 'Add to the stock of a product, or take from it.',
  description: 'Waits for the decision; it is kept for 24 h and told again under the same key.',
  params,
  headers: { ...keyHeader, ...ifMatchOneHeader },
  body: stockRequest,
  answers: {
    200: {
      description: 'Done.',
      body: product,
      headers: { ...etagHeader, ...locationHeader, ...replayedHeader, ...sourceHeaders },
    },
    202: {
      description: 'Durable, and not decided within the time that was waited.',
      body: exactly({ productId: id(), updateId: id(), status: Type.Literal('accepted') }),
      headers: { ...locationHeader, ...replayedHeader },
    },
  },
  problems: [stockRefused, keyInFlight, versionPassed, keyReused],
  problemHeaders: {
    [stockRefused.status]: replayedHeader,
    [versionPassed.status]: replayedHeader,
  },
}

export const stockDecisionDoc: RouteDoc = {
  tag,
  summary: 'What became of an update.',
  params: { ...params, updateId: id() },
  answers: {
    200: { description: 'Within 24 h.', body: decision, headers: sourceHeaders },
  },
  problems: [noSuchUpdate],
}
