/**
 * `Idempotency-Key`: one key, one body.
 *
 * Used by `order-routes.ts`. Two rules, of different strength. 1. The id of an order without one,
 * and of a stock update, derives from the key, so a retry is the same command for ever, over
 * restarts and replicas. 2. Which body came with a key is remembered here, in this process, for
 * 24 hours: it also catches one key with two different order ids, which no derived id can.
 */

import { type FastifyRequest } from 'fastify'
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

export class IdempotencyKeys {
  readonly #bodies = new RecentMap<string>(remembered)

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
