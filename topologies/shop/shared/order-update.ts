/**
 * The body of `PUT /api/orders/{orderId}`: what may change of an order once it is placed.
 */

import type { UpdateOrderData } from './commands.ts'
import { textLengthMax } from './order-limits.ts'
import { type RequestProblem, RequestProblems } from './request-problems.ts'

/** The command's data without the order, which the path names. */
export type OrderChange = Omit<UpdateOrderData, 'orderId'>

export type ParsedOrderChange =
  | { readonly ok: true; readonly value: OrderChange }
  | { readonly ok: false; readonly problems: readonly RequestProblem[] }

const fields = ['shippingAddress', 'notes'] as const

export const parseOrderChange = (given: unknown): ParsedOrderChange => {
  const problems = new RequestProblems()
  const body = problems.object(given, '')
  if (body !== undefined) {
    problems.unknownFields(body, fields)
    const named = fields.filter((field) => body[field] !== undefined)
    for (const field of named) problems.text(body[field], `/${field}`, textLengthMax)
    if (named.length === 0) problems.tell('', `must change ${fields.join(' or ')}`)
    // in one order, whatever the sender's: the hash of a repeated command must be the same
    const value = Object.fromEntries(named.map((field) => [field, body[field]]))
    if (problems.found.length === 0) return { ok: true, value: value as OrderChange }
  }
  return { ok: false, problems: problems.found }
}
