/**
 * The routes of a server, as the OpenAPI document needs them.
 *
 * Filled by `http-server.ts` from fastify's onRoute hook. HEAD, which fastify adds to each GET, is
 * left out.
 */

import type { RouteOptions } from 'fastify'
import type { TSchema } from 'typebox'
import type { RouteDoc } from './route-doc.ts'

export interface ApiRoute {
  /** Upper case. */
  readonly method: string
  /** Fastify's pattern, such as `/api/orders/:orderId`. */
  readonly url: string
  readonly doc: RouteDoc
  readonly query?: TSchema
  readonly body?: TSchema
}

export class ApiRoutes {
  readonly #routes: ApiRoute[] = []
  readonly #undocumented: string[] = []

  add({ method, url, schema, config }: RouteOptions): void {
    const { querystring: query, body } = (schema ?? {}) as {
      readonly querystring?: TSchema
      readonly body?: TSchema
    }
    for (const one of [method].flat()) {
      if (one === 'HEAD') continue
      const doc = config?.doc
      if (doc === undefined) this.#undocumented.push(`${one} ${url}`)
      else
        this.#routes.push({ method: one, url, doc, ...(query && { query }), ...(body && { body }) })
    }
  }

  get documented(): readonly ApiRoute[] {
    return this.#routes
  }

  /** As `GET /path`: a test keeps this list to what is documented elsewhere. */
  get undocumented(): readonly string[] {
    return this.#undocumented
  }
}
