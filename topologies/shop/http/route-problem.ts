/**
 * What a route throws to answer with an RFC 9457 problem document.
 *
 * The server's error handler reads `statusCode` and `errors`; the message is the problem's detail.
 */

/** Where in the body (JSON pointer), and what is wrong there. */
export interface RouteProblemPlace {
  readonly pointer: string
  readonly detail: string
}

export class RouteProblem extends Error {
  override readonly name = 'RouteProblem'
  readonly statusCode: number
  readonly errors: readonly RouteProblemPlace[] | undefined

  constructor(statusCode: number, detail: string, errors?: readonly RouteProblemPlace[]) {
    super(detail)
    this.statusCode = statusCode
    this.errors = errors
  }
}
