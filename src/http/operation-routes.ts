/**
 * `/health` and `/metrics`: what watches an instance asks. They answer before it runs too.
 *
 * Registered by `http-server.ts`.
 */

import type { FastifyInstance, FastifyReply } from 'fastify'
import { type TSchema, Type } from 'typebox'
import type { RouteDoc } from './openapi/route-doc.ts'

export interface Health {
  readonly isLive: boolean
  readonly isReady: boolean
  /** Why it is not, for people. */
  readonly reason?: string | undefined
}

export interface OperationSources {
  /** Whether the instance runs, and whether it ever did. */
  readonly health: () => Health
  /** Prometheus text exposition. */
  readonly metrics: () => Promise<string>
}

export const operationRoutes = (
  server: FastifyInstance,
  { health, metrics }: OperationSources,
): void => {
  let hasStarted = false
  const answer = (reply: FastifyReply, isGood: boolean): FastifyReply => {
    if (isGood) return reply.code(200).send({ status: 'up' })
    const { reason } = health()
    return reply.code(503).send({ status: 'down', ...(reason !== undefined && { reason }) })
  }
  const live = { config: { doc: probeDoc('Whether the process can go on; restart it if not.') } }
  server.get('/health/live', live, (_request, reply) => answer(reply, health().isLive))
  const ready = { config: { doc: probeDoc('Whether the instance takes requests now.') } }
  server.get('/health/ready', ready, (_request, reply) => answer(reply, health().isReady))
  const startup = { config: { doc: probeDoc('Whether the instance was ever ready.') } }
  server.get('/health/startup', startup, (_request, reply) => {
    hasStarted ||= health().isReady
    return answer(reply, hasStarted)
  })
  server.get('/metrics', { config: { doc: metricsDoc } }, async (_request, reply) => {
    const text = await metrics()
    return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(text)
  })
}

const statusBody = (status: 'up' | 'down', more: Record<string, TSchema> = {}): TSchema =>
  Type.Object({ status: Type.Literal(status), ...more }, { additionalProperties: false })

const probeDoc = (summary: string): RouteDoc => ({
  tag: 'operation',
  summary,
  answers: {
    200: { description: 'It is so.', body: statusBody('up') },
    503: {
      description: 'It is not.',
      body: statusBody('down', { reason: Type.Optional(Type.String()) }),
    },
  },
  isAlwaysThere: true,
})

const metricsDoc: RouteDoc = {
  tag: 'operation',
  summary: 'Figures of the instance for Prometheus.',
  answers: {
    200: {
      description: 'Text exposition, version 0.0.4.',
      mediaType: 'text/plain',
      body: Type.String(),
    },
  },
  isAlwaysThere: true,
}
