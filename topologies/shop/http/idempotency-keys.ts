/**
 * `Idempotency-Key`: one key, one body.
 *
 * Used by `order-routes.ts`. Two rules, of different strength. 1. The id of an order without one,
 * and of an update, derives from the key, so a retry is the same command for ever, over restarts
 * and replicas. 2. Which body came with a key is remembered here, in this process, for 24 hours: it
 * also catches one key with two different order ids, which no derived id can. A second request
 * while this process has not answered the first is refused: what it would be told is not known.
 */

import type { FastifyRequest } from 'fastify'
import { textProblem } from '../shared/text-problem.ts'
import { problemKinds } from './problem-kinds.ts'
import { RecentMap } from './recent-map.ts'
import { RouteProblem } from './route-problem.ts'

/** In UTF-16 code units. */
export const keyLengthMax = 255
const remembered = { sizeMax: 100_000, ageMs: 24 * 3_600_000 }

/** @throws {RouteProblem} 400 */
export const idempotencyKeyOf = ({ headers }: FastifyRequest): string | undefined => {
  const key = headers['idempotency-key']
  if (key === undefined) return undefined
  const problem = textProblem(key, keyLengthMax)
  if (problem !== undefined) throw new RouteProblem(400, `Idempotency-Key ${problem}.`)
  return key as string
}

export const keyReused = (key: string): RouteProblem =>
  new RouteProblem(
    problemKinds.keyReused,
    `Idempotency-Key ${JSON.stringify(key)} came with another request before; choose a new key.`,
  )

const keyInFlight = (key: string): RouteProblem =>
  new RouteProblem(
    problemKinds.keyInFlight,
    `The first request with Idempotency-Key ${JSON.stringify(key)} is not answered yet; ask again.`,
  )

export class IdempotencyKeys {
  readonly #bodies = new RecentMap<string>(remembered)
  readonly #inFlight = new Map<string, string>()

  /**
   * Runs a request while no other one of its key runs here.
   *
   * @param place  what the key names, and of what
   * @throws {RouteProblem} 409: the first is not answered yet; 422: that one has another body
   */
  async alone<T>(
    key: string,
    { place, body }: { readonly place: string; readonly body: string },
    run: () => Promise<T>,
  ): Promise<T> {
    const running = this.#inFlight.get(place)
    if (running !== undefined) throw running === body ? keyInFlight(key) : keyReused(key)
    this.#inFlight.set(place, body)
    try {
      return await run()
    } finally {
      this.#inFlight.delete(place)
    }
  }

  /**
   * Binds the key to the body, for good.
   *
   * @param hash  of the body
   * @throws {RouteProblem} 422: it is bound to another one
   */
  bind(key: string, hash: string): void {
    const bound = this.#bodies.get(key)
    if (bound !== undefined && bound !== hash) throw keyReused(key)
    this.#bodies.set(key, hash)
  }
}
