/** Conditional reads (RFC 9110, 13.1.2): whether the caller has what would be sent. */

import type { FastifyRequest } from 'fastify'

/**
 * True if the answer to a GET or HEAD is 304: `If-None-Match` names this tag, or any with `*`.
 *
 * Tags compare weakly: `W/"3"` is as good as `"3"`.
 *
 * @param etag  of the row there is, quotes included
 */
export const isUnchanged = ({ method, headers }: FastifyRequest, etag: string): boolean => {
  const wanted = headers['if-none-match']
  if (wanted === undefined || (method !== 'GET' && method !== 'HEAD')) return false
  const tags = wanted.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return wanted.trim() === '*' || tags.includes(etag)
}
