/**
 * The HTTP server of the shop: its routes, its dead letters, its registry, and the document of all.
 *
 * Made by `shop-instance.ts` for an instance that may not run yet, and by `millrace openapi` for
 * the document alone.
 */

import type { FastifyInstance } from 'fastify'
import type { ShopHost } from '../../topologies/shop/http/shop-access.ts'
import { shopRoutes } from '../../topologies/shop/http/shop-routes.ts'
import type { DeadLetterAccess } from '../dlq/dead-letter-access.ts'
import { deadLetterRoutes } from '../http/dead-letter-routes.ts'
import { createHttpServer } from '../http/http-server.ts'
import type { ApiInfo } from '../http/openapi/openapi-document.ts'
import { openApiPath } from '../http/openapi/openapi-route.ts'
import type { OperationSources } from '../http/operation-routes.ts'
import { HttpProblem } from '../http/problem.ts'
import { schemaRoutes } from '../http/schema-routes.ts'
import { type Logger, silentLogger } from '../logger.ts'
import type { SchemaRegistry } from '../schema-registry/port.ts'
import { shopIdentity } from './shop-settings.ts'

export interface ShopServerOptions extends OperationSources {
  readonly logger: Logger
  readonly shop: ShopHost
  readonly desk: DeadLetterAccess
  /** To be served under `/registry`; its API is Confluent's, and documented there. */
  readonly registry?: SchemaRegistry | undefined
  /** Undefined: the routes of the shop answer. They need the state; dead letters do not. */
  readonly whyNotReady: () => string | undefined
}

/** @returns a server that does not listen yet */
export const createShopServer = async (options: ShopServerOptions): Promise<FastifyInstance> => {
  const { shop, desk, registry, whyNotReady } = options
  const server = createHttpServer({ ...options, api: shopApi })
  await server.register(async (scope) => {
    scope.addHook('onRequest', async () => {
      const reason = whyNotReady()
      if (reason !== undefined) throw new HttpProblem(503, reason)
    })
    shopRoutes(scope, shop)
  })
  await server.register(async (scope) => deadLetterRoutes(scope, desk))
  if (registry !== undefined) {
    await server.register(async (scope) => schemaRoutes(scope, registry), { prefix: '/registry' })
  }
  return server
}

const shopApi: ApiInfo = {
  title: 'Millrace shop',
  version: shopIdentity.version,
  description:
    'Orders, stock, payments and shipments over HTTP. Every replica answers for all of them. A 202 '
    + 'is durable: the stream decides, and the same request again has no further effect. Every '
    + 'failure is a problem document (RFC 9457) whose `type` names its kind. A path that exists '
    + 'answers other methods with 405 and `Allow`, GET also as HEAD; what is no HTTP, or comes too '
    + 'slowly, gets 400, 408 or 431.',
}

/** The document as the server gives it out, without an instance: no other handler is called. */
export const shopApiText = async (): Promise<string> => {
  const server = await createShopServer({
    health: () => ({ isLive: true, isReady: false }),
    metrics: async () => '',
    logger: silentLogger,
    shop: {} as ShopHost,
    desk: {} as DeadLetterAccess,
    whyNotReady: () => undefined,
  })
  const { payload } = await server.inject(openApiPath)
  await server.close()
  return payload
}
