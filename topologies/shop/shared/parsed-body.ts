/** A body of a request as it was checked: what it says, or every place that is wrong. */

import type { RequestProblem, RequestProblems } from './request-problems.ts'

export type ParsedBody<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly RequestProblem[] }

/** @param value  of which each field was checked; its order of fields counts where it is hashed */
export const parsedBody = <T>(value: object, { found }: RequestProblems): ParsedBody<T> =>
  found.length === 0 ? { ok: true, value: value as T } : { ok: false, problems: found }
