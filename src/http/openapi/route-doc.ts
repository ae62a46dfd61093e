/**
 * What a route says of itself beside the schemas it is checked by: the source of the OpenAPI
 * document.
 *
 * Given by every route as `config: { doc }` of fastify's route options. Parameters in the query,
 * and bodies that fastify validates, are taken from `schema`, so that they are written once.
 */

import type { TSchema } from 'typebox'
import type { ProblemKind } from '../problem.ts'

export interface RouteDoc {
  /** The chapter it belongs to. */
  readonly tag: string
  /** One sentence. */
  readonly summary: string
  readonly description?: string
  /** Of each `:name` in the path, in that order; `*` goes by the name that is left. */
  readonly params?: Readonly<Record<string, TSchema>>
  /** Request headers that mean something here. */
  readonly headers?: Readonly<Record<string, TSchema>>
  /** Of a JSON body that the route checks itself; else `schema.body` is told. */
  readonly body?: TSchema
  /** By status; failures are in `problems`. */
  readonly answers: Readonly<Record<number, AnswerDoc>>
  /** Kinds of problems; a bare status is one of type `about:blank`. */
  readonly problems?: readonly (ProblemKind | number)[]
  /** Headers that problems of a status may have. */
  readonly problemHeaders?: Readonly<Record<number, Readonly<Record<string, TSchema>>>>
  /** It answers before the instance runs too: 503 is no failure of it. */
  readonly isAlwaysThere?: boolean
}

export interface AnswerDoc {
  readonly description: string
  /** No body if absent. */
  readonly body?: TSchema
  /** Default `application/json`. */
  readonly mediaType?: string
  readonly headers?: Readonly<Record<string, TSchema>>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For the OpenAPI document; a route without it is not in there. */
    doc?: RouteDoc
  }
}
