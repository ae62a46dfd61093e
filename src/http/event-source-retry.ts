/**
 * "Not now" as a client of server-sent events understands it: come again in a second.
 *
 * Used by the error handler. An `EventSource` takes any status but 200 for the end: it would not
 * come back to an instance that is starting again. A stream that ends at once makes it try again,
 * with the id of the last event it saw.
 */

import type { FastifyReply, FastifyRequest } from 'fastify'

const retryMs = 1_000

/** Whether it takes a stream of events and nothing else, as an `EventSource` says of itself. */
export const isEventSource = ({ headers }: FastifyRequest): boolean =>
  /^\s*text\/event-stream\s*(;[^,]*)?$/i.test(headers.accept ?? '')

/** @param why  for people who look at the bytes */
export const sendRetry = (reply: FastifyReply, why: string): FastifyReply =>
  reply
    .code(200)
    .type('text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(`retry: ${retryMs}\n: ${why.replaceAll(/\s+/g, ' ')}\n\n`)
