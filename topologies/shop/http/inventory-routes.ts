/**
 * `/api/inventory`: look at a product, change its stock, and what became of a change.
 *
 * 1. A PUT waits for the decision, by default 5 s: 200 with the product, 409 with the reason of the
 * refusal. Not decided by then: 202, with the place where the decision will be. 2. Idempotency-Key
 * names the update within its product: the same again gets the answer of the first, another body is
 * refused (422). 3. Decisions are read from the row the topology keeps of every update, for 24
 * hours, so they survive restarts.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ProblemKind } from '../../../src/index.ts'
import type { ProductRow, StockCommandRow } from '../inventory/stock-row.ts'
import { bodyHash } from '../shared/body-hash.ts'
import { uuidV7 } from '../shared/ids.ts'
import {
  parseStockRequest,
  stockCommandId,
  type StockRequest,
  updateStockCommand,
} from '../shared/stock-request.ts'
import { tellSource } from './answer-source.ts'
import { getProductDoc, stockDecisionDoc, updateStockDoc } from './docs/inventory-docs.ts'
import { IdempotencyKeys, idempotencyKeyOf, keyReused } from './idempotency-keys.ts'
import { checkIfMatch } from './if-match.ts'
import { isUnchanged } from './is-unchanged.ts'
import { productView } from './order-view.ts'
import { tellReplayed } from './order-replies.ts'
import { pathId } from './path-id.ts'
import { problemKinds } from './problem-kinds.ts'
import { RouteProblem } from './route-problem.ts'
import type { Found, ShopHost } from './shop-access.ts'
import { unlessMoving } from './unless-moving.ts'
import { waitMsOf, type WaitQuery, waitQuery } from './wait-query.ts'

const waitMsDefault = 5_000
const pollMs = 20
/** How long a request about an unknown product waits for what was written before it. */
const behindWaitMs = 2_000

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
      const givenKey = idempotencyKeyOf(request)
      const run = (): Promise<FastifyReply> =>
        updateStock(access, { request, productId, givenKey }, reply)
      if (givenKey === undefined) return run()
      const place = `stock:${productId}:${givenKey}`
      return keys.alone(givenKey, { place, body: JSON.stringify(request.body) }, run)
    },
  )
  server.get<{ Params: ProductParams & { readonly updateId: string } }>(
    `${path}/updates/:updateId`,
    { config: { doc: stockDecisionDoc } },
    async ({ params }, reply) => {
      const updateId = pathId(params.updateId, 'update')
      const productId = pathId(params.productId, 'product')
      const { row, source } = await known(
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
  const parsed = parseStockRequest(request.body)
  if (!parsed.ok) {
    throw new RouteProblem(400, 'The update does not match its schema.', parsed.problems)
  }
  const key = givenKey ?? uuidV7(Date.now())
  const updateId = stockCommandId(productId, key)
  const find = (): Promise<Found<StockCommandRow>> => access.findDecision(productId, updateId)
  let decision = givenKey === undefined ? undefined : (await unlessMoving(find()))?.row
  const isReplayed = decision !== undefined
  if (decision === undefined) {
    await checkVersion(access, request, productId)
    await access.updateStock(productId, parsed.value, key)
    decision = await waitForDecision(find, waitMsOf(request.query, waitMsDefault))
  }
  if (decision === undefined) return acceptedReply(reply, { productId, updateId })
  if (decision.hash !== hashOf(productId, parsed.value)) throw keyReused(key)
  if (isReplayed) tellReplayed(reply)
  if (decision.refusal !== undefined) {
    const { code, reason } = decision.refusal
    throw new RouteProblem(problemKinds.stockRefused, `${code}: ${reason}.`)
  }
  // applied, though nobody may be there now to say what came of it
  const product = await unlessMoving(knownProduct(access, productId))
  if (product === undefined) return acceptedReply(reply, { productId, updateId })
  return productReply(reply.header('location', inventoryPath(productId)), request, product)
}

const checkVersion = async (
  access: ShopHost,
  request: PutRequest,
  productId: string,
): Promise<void> => {
  if (request.headers['if-match'] === undefined) return
  checkIfMatch(request, (await access.findProduct(productId)).row?.version)
}

const inventoryPath = (productId: string): string =>
  `/api/inventory/${encodeURIComponent(productId)}`

const acceptedReply = (
  reply: FastifyReply,
  { productId, updateId }: { readonly productId: string; readonly updateId: string },
): FastifyReply =>
  reply
    .code(202)
    .header('location', `${inventoryPath(productId)}/updates/${updateId}`)
    .send({ productId, updateId, status: 'accepted' })

const hashOf = (productId: string, request: StockRequest): string =>
  bodyHash(updateStockCommand(productId, request, { commandId: '', nowMs: 0, source: '' }).data)

const waitForDecision = async (
  decision: () => Promise<Found<StockCommandRow>>,
  waitMs: number,
): Promise<StockCommandRow | undefined> => {
  const endMs = performance.now() + waitMs
  while (performance.now() < endMs) {
    const found = await unlessMoving(decision())
    if (found?.row !== undefined) return found.row
    await sleep(pollMs)
  }
  return undefined
}

const knownProduct = (access: ShopHost, productId: string): Promise<Known<ProductRow>> =>
  known(
    () => access.findProduct(productId),
    () => access.settledProduct(productId, behindWaitMs),
    { name: `product ${productId}`, unknown: problemKinds.noSuchProduct },
  )

const productReply = (
  reply: FastifyReply,
  request: FastifyRequest,
  { row, source }: Known<ProductRow>,
): FastifyReply => {
  tellSource(reply, source)
  const etag = `"${row.version}"`
  reply.header('etag', etag)
  return isUnchanged(request, etag) ? reply.code(304).send() : reply.send(productView(row))
}

interface Known<Row> extends Found<Row> {
  readonly row: Row
}

/** @throws {RouteProblem} 404: there is none; 503: cannot be known yet */
const known = async <Row>(
  find: () => Promise<Found<Row>>,
  findSettled: () => Promise<Found<Row> | undefined>,
  what: { readonly name: string; readonly unknown: ProblemKind },
): Promise<Known<Row>> => {
  const now = await find()
  const found = now.row === undefined ? await findSettled() : now
  if (found === undefined) {
    throw new RouteProblem(503, 'The shop is behind and cannot tell yet; ask again.')
  }
  const { row, source } = found
  if (row === undefined) throw new RouteProblem(what.unknown, `There is no ${what.name}.`)
  return { row, source }
}
