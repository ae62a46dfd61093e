/** The bodies of `POST /api/shipments` and of `PUT /api/shipments/{shipmentId}/status`. */

import type { ShipmentStatus } from './commands.ts'
import { idLengthMax } from './order-limits.ts'
import { type ParsedBody, parsedBody } from './parsed-body.ts'
import { RequestProblems } from './request-problems.ts'

export interface ShipmentRequest {
  readonly orderId: string
}

export interface StatusRequest {
  readonly status: ShipmentStatus
  readonly location?: string
}

/** What a shipment can become. */
export const statusesToTell: readonly ShipmentStatus[] = [
  'SHIPPED',
  'IN_TRANSIT',
  'OUT_FOR_DELIVERY',
  'DELIVERY_FAILED',
  'DELIVERED',
]
/** In UTF-16 code units. */
export const locationLengthMax = 200

export const parseShipmentRequest = (given: unknown): ParsedBody<ShipmentRequest> => {
  const problems = new RequestProblems()
  const body = problems.object(given, '') ?? {}
  problems.unknownFields(body, ['orderId'])
  problems.text(body['orderId'], '/orderId', idLengthMax)
  return parsedBody({ orderId: body['orderId'] }, problems)
}

export const parseStatusRequest = (given: unknown): ParsedBody<StatusRequest> => {
  const problems = new RequestProblems()
  const body = problems.object(given, '') ?? {}
  const { status, location } = body
  problems.unknownFields(body, ['status', 'location'])
  problems.oneOf(status, '/status', statusesToTell)
  if (location !== undefined) problems.text(location, '/location', locationLengthMax)
  return parsedBody({ status, ...(location !== undefined && { location }) }, problems)
}
