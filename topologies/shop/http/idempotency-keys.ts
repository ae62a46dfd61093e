/**
 * `Idempotency-Key`: one key, one body.
 *
 * Used by routes that take commands. Three rules, of different strength. 1. The id of an order
 * without one, of a payment, a refund and an update derives from the key, so a retry is the same
 * command for ever, over restarts and replicas. 2. Which body came with a key is remembered here,
 * in this process, for 24 hours: it also catches one key with two different order ids, which no
 * derived id can. 3. A second request while this process has not answered the first is refused:
 * what it would be told is not known.
 */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { textProblem } from '../shared/text-problem.ts'
import { problemKinds } from './problem-kinds.ts'
import { RecentMap } from './recent-map.ts'
import { RouteProblem } from './route-problem.ts'

/** In UTF-16 code units. */
export const keyLengthMax = 255
/** Printable ASCII: other bytes of a header are read in different ways on their way. */
export const keyPattern = /^[!-~]([ -~]*[!-~])?$/
const remembered = { sizeMax: 100_000, ageMs: 24 * 3_600_000 }

export const keyReused = (key: string): RouteProblem =>
  new RouteProblem(
    problemKinds.keyReused,
    `Idempotency-Key ${JSON.stringify(key)} came with another request before; choose a new key.`,
  )

/** The same request came before: nothing was done again. */
export const tellReplayed = (reply: FastifyReply): FastifyReply =>
  reply.header('idempotency-replayed', 'true')

export class IdempotencyKeys {
  readonly #bodies = new RecentMap<string>(remembered)
  readonly #inFlight = new Map<string, string>()

  /**
   * Runs a request while no other one of its key runs here; one without a key at once.
   *
   * @param place  what the key names something of: it counts within that
   * @param run    given the key
   * @throws {RouteProblem} 400: it is no key; 409: the first request is not answered yet;
   *   422: that one has another body
   */
  async alone<T>(
    request: FastifyRequest,
    place: string,
    run: (key: string | undefined) => Promise<T>,
  ): Promise<T> {
    const key = keyOf(request)
    if (key === undefined) return run(key)
    const name = `${place}:${key}`
    const body = JSON.stringify(request.body ?? null)
    const running = this.#inFlight.get(name)
    if (running !== undefined) throw running === body ? keyInFlight(key) : keyReused(key)
    this.#inFlight.set(name, body)
    try {
      return await run(key)
    } finally {
      this.#inFlight.delete(name)
    }
  }

  /**
   * Binds the key to the body, for good.
   *
   * @param hash   of the body
   * @param place  what the key names something of; never shown
   * @throws {RouteProblem} 422: it is bound to another one
   */
  bind(key: string, hash: string, place = ''): void {
    const name = `${place}\n${key}` // no key has a line end
    const bound = this.#bodies.get(name)
    if (bound !== undefined && bound !== hash) throw keyReused(key)
    this.#bodies.set(name, hash)
  }
}

/** @throws {RouteProblem} 400 */
const keyOf = ({ headers }: FastifyRequest): string | undefined => {
  const key = headers['idempotency-key']
  if (key === undefined) return undefined
  const problem = textProblem(key, keyLengthMax)
  if (problem !== undefined) throw new RouteProblem(400, `Idempotency-Key ${problem}.`)
  if (keyPattern.test(key as string)) return key as string
  throw new RouteProblem(400, 'Idempotency-Key must be printable ASCII.')
}

const keyInFlight = (key: string): RouteProblem =>
  new RouteProblem(
    problemKinds.keyInFlight,
    `The first request with Idempotency-Key ${JSON.stringify(key)} is not answered yet; ask again.`,
  )
