/**
 * `/api/inventory`: look at a product, change its stock, and what became of a change.
 *
 * 1. A PUT waits for the decision, by default 5 s: 200 with the product, 409 with the reason of the
 * refusal. Not decided by then: 202, with the place where the decision will be. 2. Idempotency-Key
 * names the update within its product: the same again gets the answer of the first, another body is
 * refused (422). 3. Decisions are read from the row the topology keeps of every update, for 24
 * hours, so they survive restarts. 4. A tag in `If-Match` travels in the command: 412 is a refusal
 * like any other, and of two that race for one version one is refused.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ProductRow, StockCommandRow } from '../inventory/stock-row.ts'
import { bodyHash } from '../shared/body-hash.ts'
import { uuidV7 } from '../shared/ids.ts'
import {
  parseStockRequest,
  stockCommandId,
  type StockRequest,
  updateStockCommand,
} from '../shared/stock-request.ts'
import { acceptedReply } from './accepted-reply.ts'
import { tellSource } from './answer-source.ts'
import { bodyOf } from './bodies.ts'
import { getProductDoc, stockDecisionDoc, updateStockDoc } from './docs/inventory-docs.ts'
import { IdempotencyKeys, keyReused, tellReplayed } from './idempotency-keys.ts'
import { ifMatchOf, versionPassed } from './if-match.ts'
import { behindWaitMs, type Known, knownRow, waitForRow } from './known-row.ts'
import { productView } from './order-view.ts'
import { pathId } from './path-id.ts'
import { problemKinds } from './problem-kinds.ts'
import { RouteProblem } from './route-problem.ts'
import { rowReply } from './row-reply.ts'
import type { Found, ShopHost } from './shop-access.ts'
import { unlessMoving } from './unless-moving.ts'
import { waitMsOf, type WaitQuery, waitQuery } from './wait-query.ts'

const waitMsDefault = 5_000

interface ProductParams {
  readonly productId: string
}

type PutRequest = FastifyRequest<{ Params: ProductParams; Querystring: WaitQuery }>

export const inventoryRoutes = (server: FastifyInstance, access: ShopHost): void => {
  const path = '/api/inventory/:productId'
  const keys = new IdempotencyKeys()
  server.get<{ Params: ProductParams }>(
    path,
    { config: { doc: getProductDoc } },
    async (request, reply) => {
      const productId = pathId(request.params.productId, 'product')
      return productReply(reply, request, await knownProduct(access, productId))
    },
  )
  server.put<{ Params: ProductParams; Querystring: WaitQuery }>(
    path,
    { schema: { querystring: waitQuery }, config: { doc: updateStockDoc } },
    (request, reply) => {
      const productId = pathId(request.params.productId, 'product')
      return keys.alone(request, productId, (givenKey) =>
        updateStock(access, { request, productId, givenKey }, reply),
      )
    },
  )
  server.get<{ Params: ProductParams & { readonly updateId: string } }>(
    `${path}/updates/:updateId`,
    { config: { doc: stockDecisionDoc } },
    async ({ params }, reply) => {
      const updateId = pathId(params.updateId, 'update')
      const productId = pathId(params.productId, 'product')
      const { row, source } = await knownRow(
        () => access.findDecision(productId, updateId),
        () => access.settledDecision(productId, updateId, behindWaitMs),
        {
          name: `update ${updateId} of product ${productId}, or it is older than 24 h`,
          unknown: problemKinds.noSuchUpdate,
        },
      )
      tellSource(reply, source)
      const { version, refusal } = row
      return { updateId, status: refusal === undefined ? 'applied' : 'refused', version, refusal }
    },
  )
}

interface StockUpdate {
  readonly request: PutRequest
  readonly productId: string
  readonly givenKey: string | undefined
}

const updateStock = async (
  access: ShopHost,
  { request, productId, givenKey }: StockUpdate,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const ifVersion = ifMatchOf(request)
  const update = {
    ...bodyOf(parseStockRequest(request.body), 'update'),
    ...(ifVersion !== undefined && { ifVersion }),
  }
  const key = givenKey ?? uuidV7(Date.now())
  const updateId = stockCommandId(productId, key)
  const find = (): Promise<Found<StockCommandRow>> => access.findDecision(productId, updateId)
  let decision = givenKey === undefined ? undefined : (await unlessMoving(find()))?.row
  const isReplayed = decision !== undefined
  if (decision === undefined) {
    if (ifVersion === undefined) await checkThere(access, request, productId)
    await access.updateStock(productId, update, key)
    const waitMs = waitMsOf(request.query, waitMsDefault)
    decision = (await waitForRow(find, { waitMs }))?.row
  }
  const accepted = (): FastifyReply =>
    acceptedReply(reply, updatePath(productId, updateId), { productId, updateId })
  if (decision === undefined) return accepted()
  if (decision.hash !== hashOf(productId, update)) throw keyReused(key)
  if (isReplayed) tellReplayed(reply)
  if (decision.refusal !== undefined) {
    const { code, reason } = decision.refusal
    if (code === 'VERSION_CHANGED') throw passed(ifVersion, decision)
    throw new RouteProblem(problemKinds.stockRefused, `${code}: ${reason}.`)
  }
  // applied, though nobody may be there now to say what came of it
  const product = await unlessMoving(knownProduct(access, productId))
  if (product === undefined) return accepted()
  return productReply(reply.header('location', inventoryPath(productId)), request, product)
}

/** `If-Match: *`: a product that is there stays there. @throws {RouteProblem} 412 */
const checkThere = async (
  access: ShopHost,
  request: PutRequest,
  productId: string,
): Promise<void> => {
  const wanted = request.headers['if-match']
  if (wanted === undefined) return
  if ((await access.findProduct(productId)).row === undefined) throw versionPassed(wanted)
}

/** Version 0: there was no such product. */
const passed = (ifVersion: number | undefined, { version }: StockCommandRow): RouteProblem =>
  versionPassed(ifVersion ?? 'of the first request', version === 0 ? undefined : version)

const inventoryPath = (productId: string): string =>
  `/api/inventory/${encodeURIComponent(productId)}`

const updatePath = (productId: string, updateId: string): string =>
  `${inventoryPath(productId)}/updates/${updateId}`

const hashOf = (productId: string, request: StockRequest): string =>
  bodyHash(updateStockCommand(productId, request, { commandId: '', nowMs: 0, source: '' }).data)

const knownProduct = (access: ShopHost, productId: string): Promise<Known<ProductRow>> =>
  knownRow(
    () => access.findProduct(productId),
    () => access.settledProduct(productId, behindWaitMs),
    { name: `product ${productId}`, unknown: problemKinds.noSuchProduct },
  )

const productReply = (
  reply: FastifyReply,
  request: FastifyRequest,
  product: Known<ProductRow>,
): FastifyReply => rowReply(reply, request, product, productView)
