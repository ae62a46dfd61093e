/**
 * The HTTP server of an instance: health, metrics, and whatever routes the application adds.
 *
 * Opened by the CLI. 1. Listens on 127.0.0.1 only. 2. Every failure is a problem document
 * (`problem.ts`), also unknown paths, wrong methods, oversized and malformed bodies, and what is no
 * HTTP at all. 3. Bodies are UTF-8 and not compressed; all else is 415. 4. Routes of the
 * application answer 503 until the instance runs. It must not know which application it is.
 */

import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { Logger } from '../logger.ts'
import { endWithProblem } from './client-error.ts'
import { ApiRoutes } from './openapi/api-routes.ts'
import type { ApiInfo } from './openapi/openapi-document.ts'
import { openApiRoute } from './openapi/openapi-route.ts'
import { isEventSource, sendRetry } from './event-source-retry.ts'
import { type OperationSources, operationRoutes } from './operation-routes.ts'
import {
  HttpProblem,
  type ProblemKind,
  type ProblemPlace,
  type ProblemRest,
  sendProblem,
} from './problem.ts'
import { RouteTable } from './route-table.ts'
import { schemaValidator } from './schema-validator.ts'

const bodyBytesMax = 1_048_576
/** Above what an id of 255 characters can take, each escaped in up to nine: then it is no id. */
const paramLengthMax = 255 * 9

export interface HttpServerOptions extends OperationSources {
  readonly logger: Logger
  /** What the OpenAPI document says of the whole; without it none is served. */
  readonly api?: ApiInfo
}

/** @returns a server that does not listen yet; routes are added inside `register` */
export const createHttpServer = (options: HttpServerOptions): FastifyInstance => {
  const server = fastify({
    bodyLimit: bodyBytesMax,
    forceCloseConnections: true,
    logger: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: paramLengthMax },
    frameworkErrors: (error, request, reply) => {
      const status = error.statusCode ?? 400
      const detail =
        status === 414
          ? `A part of the path is longer than ${paramLengthMax} characters.`
          : `${pathOf(request.url)} is no path: its escapes are not those of UTF-8.`
      return sendProblem(reply, status, { detail })
    },
    clientErrorHandler: endWithProblem,
  })
  server.setValidatorCompiler(schemaValidator)
  server.removeContentTypeParser('text/plain')
  const routes = new RouteTable()
  const documented = new ApiRoutes()
  server.addHook('onRoute', (route) => {
    routes.add(route.method, route.url)
    documented.add(route)
  })
  const answerUnknown = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const methods = routes.methodsOf(request.url)
    if (methods.length === 0) {
      return sendProblem(reply, 404, { detail: `There is no ${pathOf(request.url)}.` })
    }
    reply.header('allow', methods.join(', '))
    return sendProblem(reply, 405, {
      detail: `${pathOf(request.url)} takes ${methods.join(', ')}, not ${request.method}.`,
    })
  }
  server.setNotFoundHandler(answerUnknown)
  server.addHook('onRequest', async (request, reply) => {
    // before fastify misses a body that a method it knows should have
    if (request.is404) return answerUnknown(request, reply)
    checkEncoding(request.headers)
    checkQuery(request.url)
  })
  server.setErrorHandler((error: RouteError, request, reply) =>
    answerError(error, { request, reply, logger: options.logger }),
  )
  operationRoutes(server, options)
  if (options.api !== undefined) openApiRoute(server, documented, options.api)
  return server
}

/** @returns the address, such as `http://127.0.0.1:4004` */
export const listenOnLoopback = async (server: FastifyInstance, port: number): Promise<string> => {
  await server.listen({ host: '127.0.0.1', port })
  const { port: boundPort } = server.server.address() as AddressInfo
  return `http://127.0.0.1:${boundPort}`
}

const pathOf = (url: string): string => url.split('?')[0]!

/** A body in another encoding would be read as something that was never sent. */
const checkEncoding = (headers: IncomingHttpHeaders): void => {
  const charset = /;\s*charset="?([^\s";]*)/i.exec(headers['content-type'] ?? '')?.[1]
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) {
    throw new HttpProblem(415, `Bodies are UTF-8; ${charset} is not read here.`)
  }
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    throw new HttpProblem(415, `Bodies are not compressed; ${encoding} is not read here.`)
  }
}

/** Errors of ours carry `code`; what only means "not now" is a 503 the client may repeat. */
const notNowCodes = [
  'STREAMS_CLOSED',
  'STREAMS_PARTITION_MOVING',
  'STATE_CLOSED',
  'BROKER_CLOSED',
  'BROKER_UNAVAILABLE',
  'BROKER_UNKNOWN_OUTCOME',
]

const brokerDetails: Readonly<Record<string, string>> = {
  BROKER_UNAVAILABLE: 'The broker does not answer; send the request again, with the same id.',
  BROKER_UNKNOWN_OUTCOME:
    'The broker does not answer: what was asked for may have been written or not. '
    + 'Sent again with the same id it has its effect once.',
}

/** What cannot be decoded, the parser of queries takes as it stands: `%ff` as three characters. */
const checkQuery = (url: string): void => {
  const start = url.indexOf('?')
  if (start < 0 || !url.includes('%', start)) return
  try {
    decodeURIComponent(url.slice(start))
  } catch {
    throw new HttpProblem(400, 'The query is no text: its escapes are not those of UTF-8.')
  }
}

type RouteError = FastifyError & {
  readonly kind?: ProblemKind
  readonly errors?: readonly ProblemPlace[]
}

interface Answering {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly logger: Logger
}

const answerError = (error: RouteError, answering: Answering): FastifyReply => {
  const { reply, logger } = answering
  if (notNowCodes.includes(error.code)) {
    const detail =
      error.code === 'STREAMS_PARTITION_MOVING'
        ? error.message
        : (brokerDetails[error.code] ?? 'The instance is not running; ask again.')
    return answerNotNow(answering, { detail })
  }
  const { statusCode: status = 500, kind, errors } = error
  if (status === 503 && kind === undefined) {
    return answerNotNow(answering, { detail: error.message, errors })
  }
  if (status === 503 || kind?.isNotNow === true) reply.header('retry-after', '1')
  if (status < 500 || status === 503) {
    return sendProblem(reply, status, { kind, detail: error.message, errors })
  }
  logger.error({ err: error }, 'HTTP request failed')
  return sendProblem(reply, 500, {
    detail: 'The request failed; the log of the instance says why.',
  })
}

/** What passes by itself. */
const answerNotNow = (
  { request, reply }: Answering,
  rest: ProblemRest & { readonly detail: string },
): FastifyReply => {
  if (isEventSource(request)) return sendRetry(reply, rest.detail)
  return sendProblem(reply.header('retry-after', '1'), 503, rest)
}
