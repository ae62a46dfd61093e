/**
 * `/api/dlq`: the dead letters of a running instance, as `millrace dlq` reaches them.
 *
 * Registered by the composition root, in a scope of its own. 1. Changes are one page per request,
 * each a transaction: a request that is sent again does nothing twice. 2. 409: another command took
 * over; 422: refused for safety. They need the broker only, so they answer while state is restored.
 */

import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type {
  DeadLetterAccess,
  EditRequest,
  PageRequest,
  SettleRequest,
} from '../dlq/dead-letter-access.ts'
import { DeskError, type DeskErrorCode } from '../dlq/desk-error.ts'
import type { LetterSelection } from '../dlq/letter-selection.ts'
import {
  amendLetterDoc,
  letterStatsDoc,
  listLettersDoc,
  settleLettersDoc,
  showLetterDoc,
} from './dead-letter-docs.ts'
import { timestampMsMax } from '../record.ts'
import { HttpProblem } from './problem.ts'

/** Ids in one request, and letters in one page, at most. */
export const lettersMax = 1_000

const strict = { additionalProperties: false }
const text = Type.Optional(Type.String())
const timeMs = Type.Optional(Type.Integer({ minimum: 0, maximum: timestampMsMax }))
const limit = Type.Integer({ minimum: 1, maximum: lettersMax })

const conditions = {
  topic: text,
  task: text,
  error: text,
  sinceMs: timeMs,
  untilMs: timeMs,
  key: text,
  contains: text,
  status: Type.Optional(
    Type.Union([Type.Literal('open'), Type.Literal('replayed'), Type.Literal('discarded')]),
  ),
}

const listQuery = Type.Object({ ...conditions, cursor: text, limit: Type.Optional(limit) }, strict)
const statsQuery = Type.Object(conditions, strict)

const settleBody = Type.Object(
  {
    what: Type.Union([Type.Literal('replay'), Type.Literal('discard')]),
    selection: Type.Object(
      { ...conditions, ids: Type.Optional(Type.Array(Type.String(), { maxItems: lettersMax })) },
      strict,
    ),
    cursor: text,
    limit,
    isDryRun: Type.Boolean(),
    by: Type.String({ minLength: 1, maxLength: 255 }),
    reason: Type.Optional(Type.String({ maxLength: 1_000 })),
    attemptsMax: Type.Optional(Type.Integer({ minimum: 1 })),
    isForced: Type.Optional(Type.Boolean()),
    isTimedNow: Type.Optional(Type.Boolean()),
  },
  strict,
)

const editBody = Type.Object(
  {
    value: Type.Object(
      {
        encoding: Type.Union([Type.Literal('utf8'), Type.Literal('base64')]),
        text: Type.String(),
      },
      strict,
    ),
    by: Type.String({ minLength: 1, maxLength: 255 }),
    reason: Type.Optional(Type.String({ maxLength: 1_000 })),
    isRaw: Type.Boolean(),
  },
  strict,
)

type ListQuery = LetterSelection & Partial<Pick<PageRequest, 'cursor' | 'limit'>>

const limitDefault = 100

export const deadLetterRoutes = (server: FastifyInstance, access: DeadLetterAccess): void => {
  server.get<{ Querystring: ListQuery }>(
    '/api/dlq/letters',
    { schema: { querystring: listQuery }, config: { doc: listLettersDoc } },
    ({ query: { cursor, limit: asked, ...selection } }) => {
      const page = { selection, limit: asked ?? limitDefault }
      return answered(access.list(cursor === undefined ? page : { ...page, cursor }))
    },
  )
  const show = { config: { doc: showLetterDoc } }
  server.get<{ Params: { id: string } }>(
    '/api/dlq/letters/:id',
    show,
    async ({ params: { id } }) => {
      const letter = await answered(access.show(id))
      if (letter === undefined) throw new HttpProblem(404, `There is no dead letter ${id}.`)
      return letter
    },
  )
  server.get<{ Querystring: LetterSelection }>(
    '/api/dlq/stats',
    { schema: { querystring: statsQuery }, config: { doc: letterStatsDoc } },
    ({ query }) => answered(access.stats(query)),
  )
  server.post<{ Body: SettleRequest }>(
    '/api/dlq/settle',
    { schema: { body: settleBody }, config: { doc: settleLettersDoc } },
    ({ body }) => answered(access.settle(body)),
  )
  server.post<{ Params: { id: string }; Body: Omit<EditRequest, 'id'> }>(
    '/api/dlq/letters/:id/amendment',
    { schema: { body: editBody }, config: { doc: amendLetterDoc } },
    ({ params: { id }, body }) => answered(access.edit({ ...body, id })),
  )
}

/** As clients turn it back into the error of the desk. */
export const deskErrorStatus = {
  DLQ_BAD_REQUEST: 400,
  DLQ_TAKEN_OVER: 409,
  DLQ_REFUSED: 422,
} as const satisfies Record<DeskErrorCode, number>

const answered = async <T>(answer: Promise<T>): Promise<T> => {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof DeskError)) throw error
    throw new HttpProblem(deskErrorStatus[error.code], error.message)
  }
}
