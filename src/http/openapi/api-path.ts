/**
 * Fastify's patterns as OpenAPI's templates: `/api/orders/:orderId` → `/api/orders/{orderId}`.
 *
 * Used by `openapi-document.ts`.
 */

import type { TSchema } from 'typebox'
import type { ApiRoute } from './api-routes.ts'

export interface ApiPath {
  readonly path: string
  /** As they come in the path. */
  readonly params: Readonly<Record<string, TSchema>>
}

/** @throws the route does not say what a parameter is, or of one that is not there */
export const apiPath = ({ url, doc: { params = {} } }: Pick<ApiRoute, 'url' | 'doc'>): ApiPath => {
  const names = [...url.matchAll(/:(\w+)/g)].map((match) => match[1]!)
  const rest = Object.keys(params).filter((name) => !names.includes(name))
  const wildcard = url.endsWith('*') ? rest.shift() : undefined
  const all = wildcard === undefined ? names : [...names, wildcard]
  const isTold = all.every((name) => params[name] !== undefined)
  if (!isTold || rest.length > 0 || url.endsWith('*') !== (wildcard !== undefined)) {
    throw new Error(`${url}: its parameters are not those that are told of it`)
  }
  const path = url.replace(/:(\w+)/g, '{$1}').replace(/\*$/, `{${wildcard}}`)
  return { path, params: Object.fromEntries(all.map((name) => [name, params[name]!])) }
}

/** `GET /api/orders/:orderId/history` → `getApiOrdersOrderIdHistory`. */
export const operationId = (method: string, url: string): string =>
  method.toLowerCase()
  + url
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
  + (url.endsWith('*') ? 'One' : '')
