/**
 * A message the shop refuses: malformed, illegal in the present state, or about something unknown.
 *
 * Thrown by the pure models; the runtime's processing handler undoes the record and sends it to
 * the dead letters with code and reason. An operator reads the reason, then replays or discards.
 * Never thrown for duplicates, which are dropped and counted, nor for what a sender may rightly try
 * and be refused (an id in use, more stock than there is): that is an event.
 */

import type { FailureClass } from '../../../src/index.ts'

export type ShopErrorCode =
  | 'BAD_MESSAGE' // shape, type or version: fix the producer, then replay
  | 'BAD_COMMAND' // a field out of its bounds: the reason names it
  | 'ORDER_UNKNOWN' // no CreateOrder for this id was seen; replay when it was
  | 'COMMAND_ID_REUSED' // another body under a commandId in use: same
  | 'ILLEGAL_TRANSITION' // not possible in the order's status: usually discard
  | 'PAYMENT_ID_REUSED' // another charge under a paymentId in use
  | 'PAYMENT_UNKNOWN' // a refund of a payment never seen
  | 'REFUND_TOO_LARGE' // more than the order's total is left of
  | 'SHIPMENT_UNKNOWN' // a status for a shipment never created
  | 'SHIPMENT_ID_REUSED' // another shipment for an order that has one

/** All but what is malformed may pass once things have changed. */
export const shopFailureClasses: Readonly<Record<ShopErrorCode, FailureClass>> = {
  BAD_MESSAGE: 'poison',
  BAD_COMMAND: 'poison',
  ORDER_UNKNOWN: 'business',
  COMMAND_ID_REUSED: 'business',
  ILLEGAL_TRANSITION: 'business',
  PAYMENT_ID_REUSED: 'business',
  PAYMENT_UNKNOWN: 'business',
  REFUND_TOO_LARGE: 'business',
  SHIPMENT_UNKNOWN: 'business',
  SHIPMENT_ID_REUSED: 'business',
}

export class ShopError extends Error {
  override readonly name = 'ShopError'
  readonly code: ShopErrorCode

  constructor(code: ShopErrorCode, reason: string) {
    super(`${code}: ${reason}`)
    this.code = code
  }
}
