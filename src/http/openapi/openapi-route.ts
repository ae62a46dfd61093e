/**
 * `GET /api/openapi.json`: the document of all documented routes of the server.
 *
 * Registered by `http-server.ts`; made at the first request, when all routes are there, and kept.
 */

import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { ApiRoutes } from './api-routes.ts'
import { type ApiInfo, openApiDocument } from './openapi-document.ts'

export const openApiPath = '/api/openapi.json'

const body = Type.Object({ openapi: Type.String(), info: Type.Object({}), paths: Type.Object({}) })

export const openApiRoute = (server: FastifyInstance, routes: ApiRoutes, info: ApiInfo): void => {
  let text: string | undefined
  const doc = {
    tag: 'operation',
    summary: 'This document.',
    answers: { 200: { description: 'OpenAPI 3.1, as JSON.', body } },
    isAlwaysThere: true,
  }
  server.get(openApiPath, { config: { doc } }, (_request, reply) => {
    text ??= JSON.stringify(openApiDocument(info, routes.documented))
    return reply.type('application/json; charset=utf-8').send(text)
  })
}
