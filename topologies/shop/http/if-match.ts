/**
 * Conditional changes (RFC 9110, 13.1.1): only of the version that the caller has seen.
 *
 * 1. The command carries the version to whoever decides, so of two that race one is refused.
 * 2. DELETE of an order, which is answered before it is decided, is compared with the last commit
 * when the request comes; a change that is on its way then is not seen.
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
  if (!isMet) throw versionPassed(wanted, current)
}

/**
 * @param wanted   what does not match: the header as it came, or the version that it named
 * @param current  as of `checkIfMatch`
 */
export const versionPassed = (
  wanted: string | number,
  current?: number | 'unseen',
): RouteProblem => {
  const tag = typeof wanted === 'number' ? `"${wanted}"` : wanted.slice(0, shownMax)
  const isNow = typeof current === 'number' ? ` Version ${current} is current.` : ''
  const detail = `If-Match ${tag}: that is not the version there is.${isNow} Read it again.`
  return new RouteProblem(problemKinds.versionPassed, detail)
}

const shownMax = 100
