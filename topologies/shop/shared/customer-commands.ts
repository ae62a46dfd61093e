/**
 * Commands of the outside other than CreateOrder and UpdateStock: cancel, update, refund, pay.
 *
 * Called by HTTP and tests. The caller gives the commandId: the same id again is the same command.
 */

import type {
  CancelOrder,
  ProcessPayment,
  ProcessPaymentData,
  RefundOrder,
  RefundOrderData,
  UpdateOrder,
  UpdateOrderData,
} from './commands.ts'
import { type CommandOrigin, newCommand } from './new-command.ts'

export const cancelOrderCommand = (
  orderId: string,
  reason: string,
  origin: CommandOrigin,
): CancelOrder => newCommand('CancelOrder', { orderId, reason }, origin)

export const updateOrderCommand = (data: UpdateOrderData, origin: CommandOrigin): UpdateOrder =>
  newCommand('UpdateOrder', data, origin)

export const refundOrderCommand = (data: RefundOrderData, origin: CommandOrigin): RefundOrder =>
  newCommand('RefundOrder', data, origin)

/** A customer's transfer came in: the amount is what was received. */
export const processPaymentCommand = (
  data: ProcessPaymentData,
  origin: CommandOrigin,
): ProcessPayment => newCommand('ProcessPayment', data, origin)
