/** Bodies that routes take: checked, or answered with every place that is wrong. */

import type { ParsedBody } from '../shared/parsed-body.ts'
import { RequestProblems } from '../shared/request-problems.ts'
import { RouteProblem } from './route-problem.ts'

/** @throws {RouteProblem} 400 */
export const bodyOf = <T>(parsed: ParsedBody<T>, what: string): T => {
  if (parsed.ok) return parsed.value
  throw new RouteProblem(400, `The ${what} does not match its schema.`, parsed.problems)
}

/**
 * An amount above 0, in the currency of what it is about.
 *
 * @throws {RouteProblem} 400
 */
export const amountMinorOf = (amount: string | number, currency: string): number => {
  const problems = new RequestProblems()
  const amountMinor = problems.amount(amount, '/amount', currency)
  if (amountMinor === 0 && problems.found.length === 0) {
    problems.tell('/amount', 'must be more than 0')
  }
  if (problems.found.length === 0) return amountMinor
  throw new RouteProblem(400, 'The amount cannot be.', problems.found)
}
