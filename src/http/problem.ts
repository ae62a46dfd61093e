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

/** A kind of problem that clients tell from others of its status. */
export interface ProblemKind {
  /** The end of its URI, in kebab-case. */
  readonly name: string
  readonly status: number
  /** The same for all problems of this kind. */
  readonly title: string
  /** The same request will be taken in a moment: answered with `Retry-After`. */
  readonly isNotNow?: boolean
}

/** What names the kind in a document; it is a name, and nothing is there. */
export const problemUri = (name: string): string => `https://millrace.dev/problems/${name}`

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'Conflict',
  412: 'Precondition failed',
  413: 'Content too large',
  414: 'Path too long',
  415: 'Unsupported media type',
  422: 'Unprocessable content',
  429: 'Too many requests',
  431: 'Request header fields too large',
  500: 'Internal server error',
  503: 'Not ready',
}

export const problemTitle = (status: number): string => titles[status] ?? 'Error'

/**
 * What a route throws to answer with a problem.
 *
 * Routes of an application need not import it: any error with `statusCode` below 500 or of 503,
 * and perhaps `kind` and `errors`, is answered alike.
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

export const problemMediaType = 'application/problem+json'
export const problemType = `${problemMediaType}; charset=utf-8`

export interface ProblemRest {
  readonly kind?: ProblemKind | undefined
  readonly detail?: string
  readonly errors?: readonly ProblemPlace[] | undefined
}

export const problemText = (status: number, { kind, detail, errors }: ProblemRest = {}): string => {
  const document: ProblemDocument = {
    type: kind === undefined ? 'about:blank' : problemUri(kind.name),
    title: kind?.title ?? problemTitle(status),
    status,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
  }
  return JSON.stringify(document)
}

export const sendProblem = (
  reply: FastifyReply,
  status: number,
  rest: ProblemRest = {},
): FastifyReply =>
  reply.code(status).header('content-type', problemType).send(problemText(status, rest))
