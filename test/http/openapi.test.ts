/**
 * Goal: the OpenAPI document is one, tells every route, and cannot be wrong unseen.
 *
 * Method: the document against a model of OpenAPI 3.1 and the meta-schema of JSON Schema; the
 * routes against the document. That answers are as declared is checked by each call of the other
 * HTTP tests (`answer-check.ts`); here, that this check notices what is not.
 */

import fastify from 'fastify'
import { Check, Meta } from 'typebox/schema'
import { Value } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import { shopApiText } from '../../src/cli/shop-server.ts'
import type { DeadLetterAccess } from '../../src/dlq/dead-letter-access.ts'
import { deadLetterRoutes } from '../../src/http/dead-letter-routes.ts'
import { ApiRoutes } from '../../src/http/openapi/api-routes.ts'
import { type OpenApiDocument, openApiDocument } from '../../src/http/openapi/openapi-document.ts'
import { operationRoutes } from '../../src/http/operation-routes.ts'
import type { ShopHost } from '../../topologies/shop/http/shop-access.ts'
import { shopRoutes } from '../../topologies/shop/http/shop-routes.ts'
import { millrace } from '../cli/run-millrace.ts'
import { AnswerCheck } from './answer-check.ts'
import { openApiModel } from './openapi-model.ts'

const document = JSON.parse(await shopApiText()) as OpenApiDocument

/** Everything below `schema` keys, and the named ones. */
const schemasIn = (value: unknown, key = ''): readonly object[] => {
  if (typeof value !== 'object' || value === null) return []
  if (key === 'schema') return [value]
  return Object.entries(value).flatMap(([name, each]) => schemasIn(each, name))
}

const referencesIn = (value: unknown): readonly string[] => {
  if (typeof value !== 'object' || value === null) return []
  const { $ref } = value as { readonly $ref?: string }
  return [...($ref === undefined ? [] : [$ref]), ...Object.values(value).flatMap(referencesIn)]
}

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

describe('the document', () => {
  it('is OpenAPI 3.1, with schemas that are JSON Schema 2020-12', () => {
    expect([...Value.Errors(openApiModel, document)]).toEqual([])
    const schemas = [...schemasIn(document), ...Object.values(document.components.schemas)]
    expect(schemas.length).toBeGreaterThan(50)
    const metaSchema = Meta['https://json-schema.org/draft/2020-12/schema']
    expect(schemas.filter((schema) => !Check(metaSchema as object, schema))).toEqual([])
  })

  it('refers to what is there, and names each operation once', () => {
    const { schemas, responses } = document.components
    const there = [
      ...Object.keys(schemas).map((name) => `#/components/schemas/${name}`),
      ...Object.keys(responses).map((name) => `#/components/responses/${name}`),
    ]
    expect(referencesIn(document).filter((name) => !there.includes(name))).toEqual([])
    const ids = operations.map(({ operation }) => operation['operationId'])
    expect(new Set(ids).size).toBe(ids.length)
    for (const { path, operation } of operations) {
      const parameters = (operation['parameters'] ?? []) as { in: string; name: string }[]
      const inPath = parameters.filter((one) => one.in === 'path').map(({ name }) => name)
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))
    }
  })

  it('tells every route that there is', () => {
    const routes = new ApiRoutes()
    const server = fastify()
    server.addHook('onRoute', (route) => routes.add(route))
    operationRoutes(server, {
      health: () => ({ isLive: true, isReady: true }),
      metrics: async () => '',
    })
    shopRoutes(server, {} as ShopHost)
    deadLetterRoutes(server, {} as DeadLetterAccess)
    expect(routes.undocumented).toEqual([])
    expect(routes.documented).toHaveLength(operations.length - 1) // without its own
  })

  it('is what the command prints', { timeout: 30_000 }, async () => {
    const { exitCode, stdout } = await millrace(['openapi'])
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, document])
  })
})

describe('routes that tell too little', () => {
  const info = { title: 't', version: '1', description: 'd' }
  const route = (url: string, params: object): Parameters<typeof openApiDocument>[1][number] => ({
    method: 'GET',
    url,
    doc: { tag: 't', summary: 's', answers: {}, params: params as never },
  })

  it.each([
    ['/a/:id', {}],
    ['/a/:id', { id: {}, more: {} }],
    ['/a/*', {}],
    ['/a', { id: {} }],
  ])('are a mistake: %s %j', (url, params) => {
    expect(() => openApiDocument(info, [route(url, params)])).toThrow(/parameters are not those/)
  })

  it('and two schemas with one title', () => {
    const params = { a: { title: 'A', type: 'string' }, b: { title: 'A', type: 'number' } }
    expect(() => openApiDocument(info, [route('/:a/:b', params)])).toThrow(
      'two schemas are named A',
    )
  })
})

describe('the check of answers', () => {
  const check = new AnswerCheck(document)
  const json = new Map([['content-type', 'application/json; charset=utf-8']])
  const problem = new Map([['content-type', 'application/problem+json; charset=utf-8']])
  const problemText = (type: string, status: number): string =>
    JSON.stringify({ type, title: 't', status })
  const reused = 'https://millrace.dev/problems/key-reused'
  const accepted = JSON.stringify({ orderId: '1', status: 'accepted' })

  it.each([
    ['POST', '/api/orders?wait=1', 202, json, accepted],
    ['POST', '/api/orders', 422, problem, problemText(reused, 422)],
    ['GET', '/api/orders/x', 503, problem, problemText('about:blank', 503)],
    ['GET', '/nothing', 404, problem, problemText('about:blank', 404)],
    ['PATCH', '/api/orders/x', 405, problem, problemText('about:blank', 405)],
  ])('takes %s %s %i', (...[method, url, status, headers, text]) => {
    check.check(method, url, { status, headers, text })
  })

  it.each([
    ['an undeclared status', 'POST', '/api/orders', 204, json, ''],
    [
      'an undeclared property',
      'POST',
      '/api/orders',
      202,
      json,
      '{"orderId":"1","status":"accepted","a":1}',
    ],
    ['a missing property', 'POST', '/api/orders', 202, json, '{"orderId":"1"}'],
    ['another media type', 'POST', '/api/orders', 202, problem, accepted],
    ['an undeclared kind', 'DELETE', '/api/orders/x', 409, problem, problemText(reused, 409)],
    ['another status inside', 'POST', '/api/orders', 422, problem, problemText(reused, 409)],
    [
      'an undeclared header',
      'GET',
      '/api/status',
      415,
      new Map([...problem, ['etag', '"1"']]),
      problemText('about:blank', 415),
    ],
    ['success of what is not there', 'GET', '/nothing', 200, json, '{}'],
    ['a body where there is none', 'GET', '/api/orders/x', 304, json, '{}'],
  ])('refuses %s', (...[, method, url, status, headers, text]) => {
    expect(() => check.check(method, url, { status, headers, text })).toThrow(`${status}`)
  })
})
