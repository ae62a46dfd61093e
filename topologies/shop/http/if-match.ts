/**
 * Conditional changes (RFC 9110, 13.1.1): only of the version that the caller has seen.
 *
 * The command carries the version to whoever decides, so of two that race one is refused. Tags
 * compare strongly: a weak one is never met.
 */

import type { FastifyRequest } from 'fastify'
import { problemKinds } from './problem-kinds.ts'
import { RouteProblem } from './route-problem.ts'

const tagPattern = /^"(\d{1,15})"$/

/**
 * The version that `If-Match` names, for the command.
 *
 * @returns  undefined without the header, or for `*`
 * @throws {RouteProblem} 400: a list of tags; 412: a tag that no version has
 */
export const ifMatchOf = ({ headers }: FastifyRequest): number | undefined => {
  const wanted = headers['if-match']?.trim()
  if (wanted === undefined || wanted === '*') return undefined
  if (wanted.includes(',')) throw new RouteProblem(400, 'If-Match takes one tag here, or *.')
  const version = tagPattern.exec(wanted)?.[1]
  if (version === undefined) throw versionPassed(wanted)
  return Number(version)
}

/**
 * @param wanted   what does not match: the header as it came, or the version that it named
 * @param current  the version there is, if that is known
 */
export const versionPassed = (wanted: string | number, current?: number): RouteProblem => {
  const tag = typeof wanted === 'number' ? `"${wanted}"` : wanted.slice(0, shownMax)
  const isNow = typeof current === 'number' ? ` Version ${current} is current.` : ''
  const detail = `If-Match ${tag}: that is not the version there is.${isNow} Read it again.`
  return new RouteProblem(problemKinds.versionPassed, detail)
}

/** How long a change that names a version is waited for, if the request does not say. */
export const decisionWaitMs = 5_000

const shownMax = 100
