/**
 * Orders as server-sent events: each change that a commit made, until the order has ended.
 *
 * Used by `order-routes.ts`. 1. An event is the whole order and its id is the version, so whoever
 * comes back, at any replica, goes on from `Last-Event-ID` and nothing is kept here for it. 2. What
 * changed between two reads of a client is one event, the newest state: a slow client costs one
 * row, not a queue. 3. Streams are bounded, and end when the client leaves or the server closes.
 */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { isFinal } from '../orders/order-row.ts'
import type { PersonalData } from '../personal/personal-data.ts'
import { orderView } from './order-view.ts'
import type { OrderWatch } from './order-watch.ts'
import { RouteProblem } from './route-problem.ts'

/** Of one server; each may be a socket that nobody reads. */
export const streamsMax = 256
const heartbeatMs = 15_000
/** When a client that lost its stream comes back. */
const retryMs = 1_000
/** How long a server that closes waits for its clients to be told. */
const endMsMax = 1_000

export interface OrderPlace {
  readonly orderId: string
  /** The last that the client has seen. */
  readonly version: number
}

export interface OrderStreamsOptions {
  /** Opens what is shown. */
  readonly personal: Pick<PersonalData, 'opened'>
  /** Between two comments of a stream at rest; default 15 s. */
  readonly heartbeatMs?: number
}

export class OrderStreams {
  readonly #watch: OrderWatch
  readonly #personal: OrderStreamsOptions['personal']
  readonly #heartbeatMs: number
  readonly #open = new Set<{ readonly abort: AbortController; readonly ended: Promise<unknown> }>()

  constructor(watch: OrderWatch, options: OrderStreamsOptions) {
    this.#watch = watch
    this.#personal = options.personal
    this.#heartbeatMs = options.heartbeatMs ?? heartbeatMs
  }

  /** @throws {RouteProblem} 503: there are too many */
  send(reply: FastifyReply, place: OrderPlace): FastifyReply {
    if (this.#open.size >= streamsMax) {
      throw new RouteProblem(503, `All ${streamsMax} streams are taken; look at the order itself.`)
    }
    const abort = new AbortController()
    const stream = { abort, ended: once(reply.raw, 'close') }
    this.#open.add(stream)
    void stream.ended.finally(() => {
      abort.abort()
      this.#open.delete(stream)
    })
    const events = Readable.from(this.events(place, abort.signal), { highWaterMark: 1 })
    return reply
      .type('text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(events)
  }

  /** Parts of the stream's text; ends with the order, or when aborted. */
  async *events({ orderId, version }: OrderPlace, signal: AbortSignal): AsyncGenerator<string> {
    let seen = version
    yield `retry: ${retryMs}\n\n`
    while (!signal.aborted) {
      const waitMs = this.#heartbeatMs
      const order = await this.#watch.next({ orderId, version: seen, waitMs, signal })
      if (order === undefined) {
        yield ': nothing new\n\n'
        continue
      }
      const row = await this.#personal.opened(order.row)
      seen = row.version
      yield `id: ${seen}\nevent: order\ndata: ${JSON.stringify(orderView(row))}\n\n`
      if (isFinal(row)) return
    }
  }

  /** Ends all streams; their clients come back to whoever answers then. */
  async close(): Promise<void> {
    const open = [...this.#open]
    for (const { abort } of open) abort.abort()
    await Promise.race([Promise.all(open.map(({ ended }) => ended)), sleep(endMsMax)])
  }
}

/**
 * The version a client has seen; 0 if it comes for the first time.
 *
 * @throws {RouteProblem} 400: it is none that was given out here
 */
export const lastEventId = ({ headers }: FastifyRequest): number => {
  const given = headers['last-event-id'] ?? '0'
  if (typeof given === 'string' && /^\d{1,15}$/.test(given)) return Number(given)
  throw new RouteProblem(400, 'Last-Event-ID is no version of an order.')
}
