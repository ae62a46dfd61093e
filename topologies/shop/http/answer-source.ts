/**
 * Who answered a read and how fresh that is, as headers of an answer and as JSON.
 *
 * The partition's owner answers from committed state only; there are no standbys yet, so the role
 * is always `active`. Offsets are the next ones of the inputs that the answer does not show.
 */

import type { FastifyReply } from 'fastify'
import type { AnswerSource } from '../../../src/index.ts'
import { isoTime } from '../shared/iso-time.ts'

export const sourceView = ({ offsets, appliedAtMs, ...rest }: AnswerSource): object => ({
  ...rest,
  offsets: offsets.map(({ offset, ...input }) => ({ ...input, offset: String(offset) })),
  ...(appliedAtMs === undefined ? {} : { appliedAt: isoTime(appliedAtMs) }),
})

/** Sets `Millrace-…` headers; the body stays what it is about. */
export const tellSource = (
  reply: FastifyReply,
  { partition, owner, role, offsets, appliedAtMs }: AnswerSource,
): void => {
  reply.header('millrace-partition', partition)
  reply.header('millrace-owner', owner)
  reply.header('millrace-role', role)
  const texts = offsets.map(({ topic, partition: of, offset }) => `${topic}-${of}@${offset}`)
  if (texts.length > 0) reply.header('millrace-offsets', texts.join(', '))
  if (appliedAtMs !== undefined) reply.header('millrace-applied-at', isoTime(appliedAtMs))
}
