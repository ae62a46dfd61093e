/** 202: the command is durable and not decided; `Location` is where the decision will be. */

import type { FastifyReply } from 'fastify'

export const acceptedReply = (
  reply: FastifyReply,
  location: string,
  ids: Readonly<Record<string, string>>,
): FastifyReply =>
  reply
    .code(202)
    .header('location', location)
    .send({ ...ids, status: 'accepted' })
