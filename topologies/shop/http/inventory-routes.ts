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
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { stockCommands } from '../inventory/stores.ts'
import { type StockCommandRow } from '../inventory/stock-row.ts'
import { bodyHash } from '../shared/body-hash.ts'
import { uuidV7 } from '../shared/ids.ts'
import {
  parseStockRequest,
  stockCommandId,
  type StockRequest,
  updateStockCommand,
} from '../shared/stock-request.ts'
import { idempotencyKeyOf, keyReused } from './idempotency-keys.ts'
import { isUnchanged } from './is-unchanged.ts'
import { productView } from './order-view.ts'
import { pathId } from './path-id.ts'
import { RouteProblem } from './route-problem.ts'
import { type ShopAccess } from './shop-access.ts'

const waitMsMax = 30_000
const waitMsDefault = 5_000
const pollMs = 20

const putQuery = Type.Object(
  { wait: Type.Optional(Type.Integer({ minimum: 0, maximum: waitMsMax })) },
  { additionalProperties: false },
)

interface ProductParams {
  readonly productId: string
}

type PutRequest = FastifyRequest<{ Params: ProductParams; Querystring: { wait?: number } }>

export const inventoryRoutes = (server: FastifyInstance, access: ShopAccess): void => {
  const path = '/api/inventory/:productId'
  server.get<{ Params: ProductParams }>(path, async (request, reply) =>
    sendProduct(access, request, reply),
  )
  server.put<{ Params: ProductParams; Querystring: { wait?: number } }>(
    path,
    { schema: { querystring: putQuery } },
    (request, reply) => updateStock(access, request, reply),
  )
  server.get<{ Params: ProductParams & { readonly updateId: string } }>(
    `${path}/updates/:updateId`,
    async ({ params }) => {
      const updateId = pathId(params.updateId, 'update')
      const row = await decisionOf(access, updateId)
      if (row === undefined) {
        throw new RouteProblem(404, `Update ${updateId} is not decided (yet), or is too old.`)
      }
      const { version, refusal } = row
      return { updateId, status: refusal === undefined ? 'applied' : 'refused', version, refusal }
    },
  )
}

const updateStock = async (
  access: ShopAccess,
  request: PutRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const productId = pathId(request.params.productId, 'product')
  const parsed = parseStockRequest(request.body)
  if (!parsed.ok) {
    throw new RouteProblem(400, 'The update does not match its schema.', parsed.problems)
  }
  const givenKey = idempotencyKeyOf(request)
  const key = givenKey ?? uuidV7(Date.now())
  const updateId = stockCommandId(productId, key)
  let decision = givenKey === undefined ? undefined : await decisionOf(access, updateId)
  if (decision === undefined) {
    await access.updateStock(productId, parsed.value, key)
    decision = await waitForDecision(access, updateId, request.query.wait ?? waitMsDefault)
  }
  const encodedId = encodeURIComponent(productId)
  if (decision === undefined) {
    return reply
      .code(202)
      .header('location', `/api/inventory/${encodedId}/updates/${updateId}`)
      .send({ productId, updateId, status: 'accepted' })
  }
  if (decision.hash !== hashOf(productId, parsed.value)) throw keyReused(key)
  if (decision.refusal !== undefined) {
    const { code, reason } = decision.refusal
    throw new RouteProblem(409, `${code}: ${reason}.`)
  }
  reply.header('location', `/api/inventory/${encodedId}`)
  return sendProduct(access, request, reply)
}

const hashOf = (productId: string, request: StockRequest): string =>
  bodyHash(updateStockCommand(productId, request, { commandId: '', nowMs: 0, source: '' }).data)

const decisionOf = async (
  access: ShopAccess,
  updateId: string,
): Promise<StockCommandRow | undefined> =>
  (await access.storeGet(stockCommands.name, updateId)) as StockCommandRow | undefined

const waitForDecision = async (
  access: ShopAccess,
  updateId: string,
  waitMs: number,
): Promise<StockCommandRow | undefined> => {
  const endMs = performance.now() + waitMs
  while (performance.now() < endMs) {
    const row = await decisionOf(access, updateId)
    if (row !== undefined) return row
    await sleep(pollMs)
  }
  return undefined
}

const sendProduct = async (
  access: ShopAccess,
  request: FastifyRequest<{ Params: ProductParams }>,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const productId = pathId(request.params.productId, 'product')
  const row = await access.product(productId)
  if (row === undefined) throw new RouteProblem(404, `There is no product ${productId} (yet).`)
  const etag = `"${row.version}"`
  reply.header('etag', etag)
  return isUnchanged(request, etag) ? reply.code(304).send() : reply.send(productView(row))
}
