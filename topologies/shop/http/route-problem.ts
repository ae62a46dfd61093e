/**
 * What a route throws to answer with an RFC 9457 problem document.
 *
 * The server's error handler reads `statusCode`, `kind` and `errors`; the message is the problem's
 * detail.
 */

import type { ProblemKind } from '../../../src/index.ts'

/** Where in the body (JSON pointer), and what is wrong there. */
export interface RouteProblemPlace {
  readonly pointer: string
  readonly detail: string
}

export class RouteProblem extends Error {
  override readonly name = 'RouteProblem'
  readonly statusCode: number
  /** Absent: the status says all. */
  readonly kind: ProblemKind | undefined
  readonly errors: readonly RouteProblemPlace[] | undefined

  /** @param problem  its kind, or the status that says all */
  constructor(
    problem: ProblemKind | number,
    detail: string,
    errors?: readonly RouteProblemPlace[],
  ) {
    super(detail)
    this.kind = typeof problem === 'number' ? undefined : problem
    this.statusCode = typeof problem === 'number' ? problem : problem.status
    this.errors = errors
  }
}
