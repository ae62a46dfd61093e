/**
 * What the outside may ask about payments and shipments: a part of the port behind the routes.
 *
 * Both lie in the partition of their order. Their ids do not tell which that is, since they are
 * hashes of the order's: whoever knows the order names it, else every partition is asked. 1. A
 * command is durable when its promise resolves. 2. The same command again has no further effect.
 */

import type { PaymentRow } from '../payments/payment-row.ts'
import type {
  CreateShipmentData,
  ProcessPaymentData,
  RefundPaymentData,
  UpdateShipmentStatusData,
} from '../shared/commands.ts'
import type { ShipmentRow } from '../shipments/shipment-row.ts'
import type { Found } from './shop-access.ts'

/** An entity and, if known, the order it belongs to. */
export interface OfOrder {
  readonly id: string
  readonly orderId?: string
}

export interface MoneyAccess {
  findPayment(payment: OfOrder): Promise<Found<PaymentRow>>
  /**
   * As `findPayment`, once everything is processed that was written about payments before the call.
   *
   * @returns  undefined if it is not within the time
   */
  settledPayment(payment: OfOrder, withinMs: number): Promise<Found<PaymentRow> | undefined>
  findShipment(shipment: OfOrder): Promise<Found<ShipmentRow>>
  /** As `settledPayment`. */
  settledShipment(shipment: OfOrder, withinMs: number): Promise<Found<ShipmentRow> | undefined>
  /** The paymentId is the id of the command. */
  processPayment(data: ProcessPaymentData): Promise<void>
  /** The refundId is the id of the command. */
  refundPayment(data: RefundPaymentData): Promise<void>
  createShipment(data: CreateShipmentData): Promise<void>
  updateShipment(data: UpdateShipmentStatusData, commandId: string): Promise<void>
}
