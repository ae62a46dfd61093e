/**
 * Commands of the outside other than CreateOrder and UpdateStock: cancel, update, refund, pay.
 *
 * Called by HTTP and tests. The caller gives the commandId: the same id again is the same command.
 */

import type {
  CancelOrder,
  CancelOrderData,
  ProcessPayment,
  ProcessPaymentData,
  RefundOrder,
  RefundOrderData,
  UpdateOrder,
  UpdateOrderData,
} from './commands.ts'
import { uuidV5 } from './ids.ts'
import { type CommandOrigin, newCommand } from './new-command.ts'

export const cancelOrderCommand = (
  orderId: string,
  cancellation: Cancellation,
  origin: CommandOrigin,
): CancelOrder => newCommand('CancelOrder', { orderId, ...cancellation }, origin)

/** Why, and of which version alone. */
export type Cancellation = Omit<CancelOrderData, 'orderId'>

/** The same order, reason and version are the same command. */
export const cancelCommandId = (orderId: string, { reason, ifVersion }: Cancellation): string =>
  uuidV5(orderId, ifVersion === undefined ? `cancel:${reason}` : `cancel-if:${ifVersion}:${reason}`)

export const updateOrderCommand = (data: UpdateOrderData, origin: CommandOrigin): UpdateOrder =>
  newCommand('UpdateOrder', data, origin)

export const refundOrderCommand = (data: RefundOrderData, origin: CommandOrigin): RefundOrder =>
  newCommand('RefundOrder', data, origin)

/** A customer's transfer came in: the amount is what was received. */
export const processPaymentCommand = (
  data: ProcessPaymentData,
  origin: CommandOrigin,
): ProcessPayment => newCommand('ProcessPayment', data, origin)
