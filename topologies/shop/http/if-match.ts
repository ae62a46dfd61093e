/** Conditional commands (RFC 9110, 13.1.1): carried out only on the version the caller has seen. */

import type { FastifyRequest } from 'fastify'
import { RouteProblem } from './route-problem.ts'

const tagPattern = /^"(\d{1,15})"$/

/**
 * The version that `If-Match` names; the command carries it to whoever decides.
 *
 * @returns  undefined without the header, or for `*`
 * @throws {RouteProblem} 400: a list of tags; 412: a tag that no version has
 */
export const ifMatchOf = ({ headers }: FastifyRequest): number | undefined => {
  const wanted = headers['if-match']?.trim()
  if (wanted === undefined || wanted === '*') return undefined
  if (wanted.includes(',')) throw new RouteProblem(400, 'If-Match takes one tag here, or *.')
  const version = tagPattern.exec(wanted)?.[1]
  if (version === undefined) throw versionChanged(wanted)
  return Number(version)
}

/** @param wanted  the tag that does not match */
export const versionChanged = (wanted: string): RouteProblem =>
  new RouteProblem(412, `If-Match ${wanted}: that is not the version there is. Read it again.`)

/** The version that was asked for, as the tag it came as. */
export const tagOf = (version: number): string => `"${version}"`
