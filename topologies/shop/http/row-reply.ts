/** Sends a row with its version as ETag, or 304 to who has it. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { tellSource } from './answer-source.ts'
import { isUnchanged } from './is-unchanged.ts'
import type { Known } from './known-row.ts'

export const rowReply = <Row extends { readonly version: number }>(
  reply: FastifyReply,
  request: FastifyRequest,
  { row, source }: Known<Row>,
  view: (row: Row) => object,
): FastifyReply => {
  tellSource(reply, source)
  const etag = `"${row.version}"`
  reply.header('etag', etag)
  return isUnchanged(request, etag) ? reply.code(304).send() : reply.send(view(row))
}
