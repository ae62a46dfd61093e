/**
 * Failures over HTTP as RFC 9457 problem documents (`application/problem+json`).
 *
 * Used by every route through the error handler of `http-server.ts`. 1. A breach of a schema names
 * each place by JSON pointer. 2. An internal failure never shows its stack or message outside.
 */

import type { FastifyReply } from 'fastify'

export interface ProblemPlace {
  /** JSON pointer into the body (`/items/0/quantity`), or `?name` for a query parameter. */
  readonly pointer: string
  readonly detail: string
}

export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly errors?: readonly ProblemPlace[]
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'Conflict',
  413: 'Content too large',
  414: 'Path too long',
  415: 'Unsupported media type',
  422: 'Unprocessable content',
  429: 'Too many requests',
  431: 'Request header fields too large',
  500: 'Internal server error',
  503: 'Not ready',
}

/**
 * What a route throws to answer with a problem.
 *
 * Routes of an application need not import it: any error with `statusCode` below 500 or of 503,
 * and perhaps `errors`, is answered alike.
 */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly statusCode: number
  readonly errors: readonly ProblemPlace[] | undefined

  constructor(statusCode: number, detail: string, errors?: readonly ProblemPlace[]) {
    super(detail)
    this.statusCode = statusCode
    this.errors = errors
  }
}

export const problemType = 'application/problem+json; charset=utf-8'

interface ProblemRest {
  readonly detail?: string
  readonly errors?: readonly ProblemPlace[] | undefined
}

export const problemText = (status: number, rest: ProblemRest = {}): string => {
  const document: ProblemDocument = {
    type: 'about:blank',
    title: titles[status] ?? 'Error',
    status,
    ...(rest.detail === undefined ? {} : { detail: rest.detail }),
    ...(rest.errors === undefined ? {} : { errors: rest.errors }),
  }
  return JSON.stringify(document)
}

export const sendProblem = (
  reply: FastifyReply,
  status: number,
  rest: ProblemRest = {},
): FastifyReply =>
  reply.code(status).header('content-type', problemType).send(problemText(status, rest))
