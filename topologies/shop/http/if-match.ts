/**
 * Conditional changes (RFC 9110, 13.1.1): only of the version that the caller has seen.
 *
 * Compared with the last commit when the request comes. A change that is on its way then is not
 * seen: the stream decides in the order of its log.
 */

import type { FastifyRequest } from 'fastify'
import { problemKinds } from './problem-kinds.ts'
import { RouteProblem } from './route-problem.ts'

/**
 * Tags compare strongly: a weak one is never met, `*` by anything that is there.
 *
 * @param current  its version; `unseen`: it is there, and has none yet; undefined: it is not there
 * @throws {RouteProblem} 412: look again, then decide anew
 */
export const checkIfMatch = (
  { headers }: FastifyRequest,
  current: number | 'unseen' | undefined,
): void => {
  const wanted = headers['if-match']
  if (wanted === undefined) return
  const tags = wanted.split(',').map((tag) => tag.trim())
  const isMet = tags.includes('*') ? current !== undefined : tags.includes(`"${current}"`)
  if (isMet) return
  const is = typeof current === 'number' ? `Version ${current} is current` : 'There is no version'
  throw new RouteProblem(problemKinds.versionPassed, `${is}, not ${wanted.slice(0, shownMax)}.`)
}

const shownMax = 100
