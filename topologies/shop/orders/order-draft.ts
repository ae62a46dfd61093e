/**
 * An order while it is being decided about: the next row, and what is to be sent.
 *
 * Made and read by `model.ts`; the steps (`stock-steps`, `money-steps`, …) change it. 1. The row it
 * was made from is untouched. 2. The version rises once per draft. 3. Every message it sends has
 * an id that follows from the order and the step, so a replay sends the same again.
 */

import type {
  InventoryCommand,
  PaymentCommand,
  ReleaseReason,
  ShipmentCommand,
} from '../shared/commands.ts'
import type { BackorderConfig, DeadlineConfig } from '../shared/config.ts'
import type { OrderEvent, PlatformEvent } from '../shared/events.ts'
import { impersonalReason } from '../personal/personal-fields.ts'
import { holdIdOf } from '../shared/ids.ts'
import { newCommand } from '../shared/new-command.ts'
import { newEvent } from '../shared/new-event.ts'
import { isFinal, type LineState, type OrderRow, type OrderStatus } from './order-row.ts'
import { shipmentOfOrder } from './shipment-of-order.ts'
import { nextStatuses } from './transitions.ts'

export type OrderEmission =
  | { readonly kind: 'orderEvent'; readonly message: OrderEvent }
  | { readonly kind: 'platformEvent'; readonly message: PlatformEvent }
  | { readonly kind: 'inventoryCommand'; readonly message: InventoryCommand }
  | { readonly kind: 'paymentCommand'; readonly message: PaymentCommand }
  | { readonly kind: 'shipmentCommand'; readonly message: ShipmentCommand }

/** Processing time and settings; the same for every record of a call. */
export interface OrderContext {
  readonly nowMs: number
  readonly deadlines: DeadlineConfig
  readonly chargesMax: number
  /** Absent: no line may wait. */
  readonly backorders?: BackorderConfig
}

export type Mutable<T> = { -readonly [Field in keyof T]: T[Field] }

/** Who decided, in an envelope. */
export const orderSource = 'orders'

export class OrderDraft {
  readonly row: Mutable<OrderRow>
  readonly emissions: OrderEmission[] = []
  readonly context: OrderContext
  readonly #causationId: string

  constructor(row: OrderRow, causationId: string, context: OrderContext) {
    this.row = { ...row, version: row.version + 1 }
    this.#causationId = causationId
    this.context = context
  }

  /** @throws {Error} a transition the table lacks: a bug in a step */
  moveTo(status: OrderStatus): void {
    const { row } = this
    if (!nextStatuses[row.status].includes(status)) {
      throw new Error(`order ${row.orderId}: no way from ${row.status} to ${status}`)
    }
    row.status = status
    this.#setDeadline()
  }

  setLine(line: number, state: LineState): void {
    const { row } = this
    row.lines = row.lines.map((each, index) => (index === line ? { ...each, state } : each))
  }

  /** Sets every line from its present state; `undefined` leaves it. */
  mapLines(next: (state: LineState, line: number) => LineState | undefined): void {
    const { row } = this
    row.lines = row.lines.map((each, line) => {
      const state = next(each.state, line)
      return state === undefined || state === each.state ? each : { ...each, state }
    })
  }

  /** Emits an event of the order; its id names its type and version. */
  orderEvent<E extends OrderEvent>(eventType: E['eventType'], data: E['data']): void {
    const message = newEvent(eventType, data, this.#origin(), `${eventType}:${this.row.version}`)
    this.emissions.push({ kind: 'orderEvent', message: message as OrderEvent })
  }

  platformEvent<E extends PlatformEvent>(eventType: E['eventType'], data: E['data']): void {
    const message = newEvent(eventType, data, this.#origin(), eventType)
    this.emissions.push({ kind: 'platformEvent', message: message as PlatformEvent })
  }

  reserve(line: number): void {
    const { backorders } = this.context
    const waitMs = backorders?.accepted === true ? backorders.waitMs : undefined
    const data = { ...this.#hold(line), ...(waitMs !== undefined && { waitMs }) }
    this.emissions.push({
      kind: 'inventoryCommand',
      message: newCommand('ReserveStock', data, this.#commandOrigin(`${data.holdId}:reserve`)),
    })
  }

  deduct(line: number): void {
    const data = this.#hold(line)
    this.emissions.push({
      kind: 'inventoryCommand',
      message: newCommand('DeductStock', data, this.#commandOrigin(`${data.holdId}:deduct`)),
    })
  }

  release(line: number, reason: ReleaseReason): void {
    const data = { ...this.#hold(line), reason }
    const origin = this.#commandOrigin(`${data.holdId}:release:${reason}`)
    this.emissions.push({
      kind: 'inventoryCommand',
      message: newCommand('ReleaseStock', data, origin),
    })
  }

  charge(paymentId: string, amountMinor: number): void {
    const { orderId, customerId, currency, paymentMethod: method } = this.row
    const data = { paymentId, orderId, customerId, amountMinor, currency, method }
    this.emissions.push({
      kind: 'paymentCommand',
      message: newCommand('ProcessPayment', data, this.#commandOrigin(`${paymentId}:charge`)),
    })
  }

  refund(paymentId: string, refund: { refundId: string; amountMinor: number }): void {
    const { orderId, reason = 'surplus' } = this.row
    const data = { ...refund, paymentId, orderId, reason: impersonalReason(reason) }
    this.emissions.push({
      kind: 'paymentCommand',
      message: newCommand('RefundPayment', data, this.#commandOrigin(`${refund.refundId}:refund`)),
    })
  }

  /** @param number  of the shipment, where the order ships in parts */
  ship(number = 1): void {
    const data = shipmentOfOrder(this.row, number)
    const origin = this.#commandOrigin(`${data.shipmentId}:create`)
    this.emissions.push({
      kind: 'shipmentCommand',
      message: newCommand('CreateShipment', data, origin),
    })
  }

  raiseAlarm(): void {
    this.row.alarms = (this.row.alarms ?? 0) + 1
    this.#setDeadline()
  }

  #setDeadline(): void {
    const {
      row,
      context: { nowMs, deadlines, backorders },
    } = this
    if (isFinal(row)) return // the decision takes the deadline away
    const waitsMs: Partial<Record<OrderStatus, number>> = {
      paying: deadlines.paymentMs,
      backordered: (backorders?.waitMs ?? 0) + deadlines.replyMs,
      confirmed: deadlines.deliveryMs,
    }
    row.deadlineMs = nowMs + (waitsMs[row.status] ?? deadlines.replyMs)
    row.deadlineSetMs = nowMs
  }

  #hold(line: number) {
    const { orderId, lines } = this.row
    const { productId, quantity } = lines[line]!
    return { productId, orderId, holdId: holdIdOf(orderId, line), line, quantity }
  }

  #origin() {
    const { orderId, version, correlationId } = this.row
    return {
      source: orderSource,
      aggregateId: orderId,
      aggregateVersion: version,
      correlationId,
      causationId: this.#causationId,
      nowMs: this.context.nowMs,
    }
  }

  #commandOrigin(commandId: string) {
    const { correlationId } = this.row
    return {
      commandId,
      source: orderSource,
      nowMs: this.context.nowMs,
      correlationId,
      causationId: this.#causationId,
    }
  }
}
