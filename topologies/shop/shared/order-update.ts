/**
 * The body of `PUT /api/orders/{orderId}`: what may change of an order once it is placed.
 */

import type { UpdateOrderData } from './commands.ts'
import { textLengthMax } from './order-limits.ts'
import { type ParsedBody, parsedBody } from './parsed-body.ts'
import { RequestProblems } from './request-problems.ts'

/** The command's data without the order, which the path names. */
export type OrderChange = Omit<UpdateOrderData, 'orderId'>

const fields = ['shippingAddress', 'notes'] as const

export const parseOrderChange = (given: unknown): ParsedBody<OrderChange> => {
  const problems = new RequestProblems()
  const body = problems.object(given, '') ?? {}
  problems.unknownFields(body, fields)
  const named = fields.filter((field) => body[field] !== undefined)
  for (const field of named) problems.text(body[field], `/${field}`, textLengthMax)
  if (named.length === 0 && problems.found.length === 0) {
    problems.tell('', `must change ${fields.join(' or ')}`)
  }
  // in one order, whatever the sender's: the hash of a repeated command must be the same
  return parsedBody(Object.fromEntries(named.map((field) => [field, body[field]])), problems)
}
