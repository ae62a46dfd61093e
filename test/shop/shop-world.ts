/**
 * The four pure models joined by in-memory queues, for property tests: no runtime, no stores.
 *
 * Method: one queue per (topic, key) that a broker would keep in order; whoever drives the world
 * chooses which queue moves next, what is delivered again, and how time passes. After every step
 * `violations()` looks at all rows. The bank is an independent record of what money really moved.
 */

import { minutes } from '../../src/index.ts'
import { gatewayKeyOf, type GatewayRequest } from '../../topologies/shop/gateway/payment-gateway.ts'
import {
  decideHold,
  decideHoldDue,
  type StockEmission,
} from '../../topologies/shop/inventory/model.ts'
import {
  availableOf,
  type HoldRow,
  type ProductRow,
  type StockCommandRow,
} from '../../topologies/shop/inventory/stock-row.ts'
import { decideStockUpdate } from '../../topologies/shop/inventory/update-stock.ts'
import {
  concernsWaiting,
  type QueueInput,
  serveWaiting,
} from '../../topologies/shop/inventory/waiting-lines.ts'
import {
  decideOrder,
  decideOrderDeadline,
  type OrderDecision,
} from '../../topologies/shop/orders/model.ts'
import { notificationsOf } from '../../topologies/shop/notifications/model.ts'
import { isFinal, type OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { parcelsOf } from '../../topologies/shop/orders/parcels.ts'
import type { OrderInput } from '../../topologies/shop/orders/transitions.ts'
import {
  decideAnswer,
  decidePayment,
  type GatewayResult,
  type PaymentEmission,
} from '../../topologies/shop/payments/model.ts'
import type { PaymentRow } from '../../topologies/shop/payments/payment-row.ts'
import type {
  CreateShipmentData,
  InventoryCommand,
  OrderCommand,
  PaymentCommand,
  ShipmentCommand,
} from '../../topologies/shop/shared/commands.ts'
import { shopConfig, type ShopConfig } from '../../topologies/shop/shared/config.ts'
import type {
  NotificationRequested,
  ShipmentEvent,
  ShopEvent,
  StockReply,
} from '../../topologies/shop/shared/events.ts'
import { checkShop } from '../../topologies/shop/shared/invariants.ts'
import { ShopError } from '../../topologies/shop/shared/shop-error.ts'
import type { Violation } from '../../topologies/shop/shared/violation.ts'
import { advanceShipment, decideShipment } from '../../topologies/shop/shipments/model.ts'
import type { ShipmentRow } from '../../topologies/shop/shipments/shipment-row.ts'

export type WorldMessage =
  | { readonly to: 'orders'; readonly value: OrderInput }
  | { readonly to: 'inventory'; readonly value: InventoryCommand }
  | { readonly to: 'payments'; readonly value: PaymentCommand }
  | { readonly to: 'shipments'; readonly value: ShipmentCommand }
  | { readonly to: 'gateway'; readonly value: GatewayRequest }
  | { readonly to: 'answers'; readonly value: GatewayResult }

/** A fault to plant, to see that the checks find it. */
export interface Sabotage {
  readonly oversells?: boolean
  readonly refundsTwice?: boolean
  /** A line that waited gets stock that stays free for others. */
  readonly fillsTwice?: boolean
  /** Who comes is served before those who wait. */
  readonly overtakes?: boolean
  /** An order that ships in parts is paid back for something that was shipped, too. */
  readonly refundsShipped?: boolean
  /** A cancelled order's line goes on waiting. */
  readonly forgetsToRelease?: boolean
}

export type GatewayLot = 'captured' | 'declined' | 'short' | 'lost' | 'unknown'

export class ShopWorld {
  nowMs = Date.UTC(2026, 0, 1)
  /** Whether a line that lacks stock waits, for 10 minutes at most; may be switched. */
  acceptsBackorders = false
  readonly config: ShopConfig
  readonly orders = new Map<string, OrderRow>()
  readonly products = new Map<string, ProductRow>()
  readonly holds = new Map<string, HoldRow>()
  readonly payments = new Map<string, PaymentRow>()
  readonly shipments = new Map<string, ShipmentRow>()
  readonly queues = new Map<string, WorldMessage[]>()
  readonly delivered: WorldMessage[] = []
  /** Every event, in the order in which they came about; with answers that were given again. */
  readonly events: ShopEvent[] = []
  readonly notifications: NotificationRequested[] = []
  /** Final events per order, in order. */
  readonly outcomes = new Map<string, string[]>()
  readonly eventIds = new Map<string, string>()
  readonly deadLetters: { readonly message: WorldMessage; readonly error: ShopError }[] = []
  /** What really moved, by idempotency key. */
  readonly bank = new Map<string, { paymentId: string; amountMinor: number }>()
  /** What each shipment was made with. */
  readonly shipped = new Map<string, CreateShipmentData>()
  /** By product: the holds that were told to wait, in order. */
  readonly #queues = new Map<string, string[]>()
  readonly #unfair: Violation[] = []
  readonly #stockCommands = new Map<string, StockCommandRow>()
  readonly #sabotage: Sabotage

  constructor(sabotage: Sabotage = {}) {
    this.#sabotage = sabotage
    this.config = shopConfig({
      gateway: () => Promise.reject(new Error('not used here')),
      backorders: { waitMs: minutes(10) },
    })
  }

  /** @param lane  messages of one lane stay in order */
  send(message: WorldMessage, lane: string): void {
    const name = `${message.to}|${lane}`
    const queue = this.queues.get(name)
    if (queue === undefined) this.queues.set(name, [message])
    else queue.push(message)
  }

  /** Lanes that have something to deliver; the gateway's answers are chosen by `callGateway`. */
  lanes(): readonly string[] {
    return [...this.queues.keys()].filter((name) => !name.startsWith('gateway|'))
  }

  gatewayLanes(): readonly string[] {
    return [...this.queues.keys()].filter((name) => name.startsWith('gateway|'))
  }

  deliverFrom(lane: string): void {
    const message = this.#head(lane)
    this.#take(lane)
    this.delivered.push(message)
    this.handle(message)
  }

  /** One attempt at the head request of the lane; without an answer it stays the head. */
  callGateway(lane: string, lot: GatewayLot): void {
    const { value: request } = this.#head(lane) as WorldMessage & { to: 'gateway' }
    const result = this.#attempt(request, lot)
    if (result === undefined) return
    if (result.kind === 'done') this.#take(lane)
    this.send({ to: 'answers', value: result }, request.orderId)
  }

  handle(message: WorldMessage): void {
    try {
      this.#decide(message)
    } catch (error) {
      if (!(error instanceof ShopError)) throw error
      this.deadLetters.push({ message, error })
    }
  }

  /** Everything the wall clock makes: deadlines, holds, the carrier. */
  tick(): void {
    const context = this.#orderContext()
    if (!this.lanes().some((lane) => lane.startsWith('orders|'))) {
      for (const row of this.orders.values()) {
        if ((row.indexedDeadlineMs ?? Infinity) > this.nowMs) continue
        this.#storeOrder(decideOrderDeadline(row, this.nowMs, context))
      }
    }
    if (!this.lanes().some((lane) => lane.startsWith('inventory|'))) {
      for (const hold of this.holds.values()) this.#passHold(hold)
    }
    const carrier = { ...this.config.carrier, nowMs: this.nowMs }
    for (const row of this.shipments.values()) {
      const { row: next, events } = advanceShipment(row, carrier)
      this.shipments.set(next.shipmentId, next)
      for (const value of events) this.#shipped(value)
    }
  }

  violations(isSettled = false): readonly Violation[] {
    const rows = {
      orders: this.orders.values(),
      products: this.products.values(),
      holds: this.holds.values(),
      payments: this.payments.values(),
    }
    const found: Violation[] = [...checkShop({ ...rows, isSettled }).violations, ...this.#unfair]
    for (const [productId, [firstId]] of this.#queues) {
      const product = this.products.get(productId)!
      const first = firstId === undefined ? undefined : this.holds.get(firstId)
      if (first === undefined || availableOf(product) < first.quantity) continue
      found.push({ rule: 'waits-beside-stock', subject: productId, detail: first.holdId })
    }
    for (const [orderId, outcomes] of this.outcomes) {
      if (outcomes.length <= 1) continue
      found.push({ rule: 'one-outcome', subject: orderId, detail: outcomes.join() })
    }
    for (const { paymentId, capturedMinor } of this.payments.values()) {
      const { captured, refunded } = this.#banked(paymentId)
      if (refunded <= captured && capturedMinor <= captured) continue
      const detail = `bank: ${captured} in, ${refunded} out; row: ${capturedMinor}`
      found.push({ rule: 'bank', subject: paymentId, detail })
    }
    return found
  }

  openOrders(): readonly OrderRow[] {
    return [...this.orders.values()].filter((row) => !isFinal(row))
  }

  /** Money the bank has for this order, refunds taken off. */
  keptMinor(orderId: string): number {
    let kept = 0
    for (const payment of this.payments.values()) {
      if (payment.orderId !== orderId) continue
      const { captured, refunded } = this.#banked(payment.paymentId)
      kept += captured - refunded
    }
    return kept
  }

  #decide(message: WorldMessage): void {
    switch (message.to) {
      case 'orders': {
        const row = this.orders.get(message.value.data.orderId)
        this.#storeOrder(decideOrder(row, message.value, this.#orderContext()))
        return
      }
      case 'inventory':
        this.#inventory(message.value)
        return
      case 'payments':
        this.#payments(message.value)
        return
      case 'answers': {
        const row = this.payments.get(message.value.request.paymentId)!
        this.#storePayment(decideAnswer(row, message.value, this.nowMs))
        return
      }
      case 'shipments': {
        const row = this.shipments.get(message.value.data.shipmentId)
        const context = { ...this.config.carrier, nowMs: this.nowMs }
        const decision = decideShipment(row, message.value, context)
        if (decision === undefined) return
        this.shipments.set(decision.row.shipmentId, decision.row)
        if ('items' in message.value.data) {
          this.shipped.set(message.value.data.shipmentId, message.value.data)
        }
        for (const value of decision.events) this.#shipped(value)
        return
      }
      default:
        throw new Error(`nobody takes ${message.to}`)
    }
  }

  #inventory(command: InventoryCommand): void {
    const { productId } = command.data
    const context = { ...this.config.inventory, nowMs: this.nowMs }
    const product = this.products.get(productId)
    if (command.commandType === 'UpdateStock') {
      const decision = decideStockUpdate(
        {
          product,
          seen: this.#stockCommands.get(command.commandId),
          liveHolds: () =>
            [...this.holds.values()].filter(
              (hold) => hold.productId === productId && hold.state === 'held',
            ),
        },
        command,
        context,
      )
      if (decision === undefined) return
      if (decision.product !== undefined) this.products.set(productId, decision.product)
      if (decision.seen !== undefined) this.#stockCommands.set(command.commandId, decision.seen)
      for (const hold of decision.brokenHolds) this.holds.set(hold.holdId, hold)
      this.#reply(decision.emissions)
      if (decision.product !== undefined) this.#serve(decision.product, {}, command.commandId)
      return
    }
    const extra = this.#sabotage.oversells === true ? 1000 : 0
    const { waiting, ...served } = product ?? {}
    const seen =
      product && this.#sabotage.overtakes === true
        ? (served as ProductRow)
        : product && { ...product, onHand: product.onHand + extra }
    const before = this.holds.get(command.data.holdId)
    const isForgotten = before?.state === 'waiting' && command.commandType === 'ReleaseStock'
    const decision = decideHold(seen, before, command, context)
    if (decision === undefined) return
    const { onHand } = decision.product
    const decided = {
      ...decision.product,
      onHand: onHand - (product ? extra : 0),
      ...(waiting !== undefined && { waiting }),
    }
    this.#reply(decision.emissions)
    if (isForgotten && this.#sabotage.forgetsToRelease === true) return
    this.products.set(productId, decided)
    if (decision.hold !== undefined) this.holds.set(decision.hold.holdId, decision.hold)
    this.#serve(decided, { before, after: decision.hold }, command.commandId)
  }

  /** What came free goes to the lines that wait. */
  #serve(product: ProductRow, decided: Pick<QueueInput, 'before' | 'after'>, causationId: string) {
    if (!concernsWaiting(product, decided.after)) return
    const context = { ...this.config.inventory, nowMs: this.nowMs }
    const holdOf = (holdId: string) => this.holds.get(holdId)
    const served = serveWaiting(product, { ...decided, holdOf, causationId }, context)
    const forged = this.#sabotage.fillsTwice === true && served.emissions.length > 0
    const { held } = served.product
    this.products.set(product.productId, { ...served.product, held: forged ? product.held : held })
    for (const hold of served.holds) this.holds.set(hold.holdId, hold)
    this.#reply(served.emissions)
  }

  /** An independent record of who waits for what: nobody is served before those ahead of him. */
  #noteQueue({ eventType, data: { productId, holdId } }: StockReply): void {
    const queue = this.#queues.get(productId) ?? []
    this.#queues.set(productId, queue)
    if (eventType === 'stock.backordered') {
      queue.push(holdId)
      return
    }
    if (eventType === 'stock.reserved' && queue.length > 0 && queue[0] !== holdId) {
      this.#unfair.push({ rule: 'first-come', subject: productId, detail: `${holdId} was served` })
    }
    const place = queue.indexOf(holdId)
    if (place >= 0) queue.splice(place, 1)
  }

  #payments(command: PaymentCommand): void {
    const row = this.payments.get(command.data.paymentId)
    this.#storePayment(decidePayment(row, command, this.nowMs))
    if (this.#sabotage.refundsTwice !== true || command.commandType !== 'RefundPayment') return
    const { refunds: _forgotten, ...forgetful } = this.payments.get(command.data.paymentId)!
    const again = { ...command, data: { ...command.data, refundId: `${command.data.refundId}-x` } }
    this.#storePayment(decidePayment(forgetful, again, this.nowMs))
  }

  #attempt(request: GatewayRequest, lot: GatewayLot): GatewayResult | undefined {
    const key = gatewayKeyOf(request)
    const known = this.bank.get(key)
    if (lot === 'unknown') {
      return { kind: 'unknown', request, error: 'no answer' }
    }
    if (request.kind === 'refund') {
      const { paymentId, amountMinor } = request
      this.bank.set(key, { paymentId, amountMinor: -amountMinor })
      return lot === 'lost' ? undefined : done(request, { kind: 'refunded', transactionId: key })
    }
    if (known === undefined && lot === 'declined') {
      return done(request, { kind: 'declined', reason: 'card-declined' })
    }
    const { paymentId } = request
    const amountMinor =
      known?.amountMinor
      ?? (lot === 'short' ? Math.floor(request.amountMinor / 2) : request.amountMinor)
    this.bank.set(key, { paymentId, amountMinor })
    if (lot === 'lost') return undefined
    return done(request, { kind: 'captured', capturedMinor: amountMinor, transactionId: key })
  }

  #passHold(hold: HoldRow): void {
    if (hold.indexedMs > this.nowMs) return
    const product = this.products.get(hold.productId)!
    const context = { ...this.config.inventory, nowMs: this.nowMs }
    const decision = decideHoldDue({ product, hold }, this.nowMs, context)
    this.products.set(product.productId, decision.product)
    if (decision.hold === undefined) this.holds.delete(hold.holdId)
    else this.holds.set(hold.holdId, decision.hold)
    this.#reply(decision.emissions)
    this.#serve(decision.product, { before: hold, after: decision.hold }, hold.holdId)
  }

  #shipped(value: ShipmentEvent): void {
    this.events.push(value)
    this.send({ to: 'orders', value }, value.data.orderId + '|ship')
  }

  #reply(emissions: readonly StockEmission[]): void {
    for (const each of emissions) {
      this.events.push(each.event)
      if (each.kind !== 'reply') continue
      if (each.isRepeat !== true) this.#noteQueue(each.event)
      const { orderId, productId } = each.event.data
      this.send({ to: 'orders', value: each.event }, `${orderId}|${productId}`)
    }
  }

  #storePayment(decision: { row: PaymentRow; emissions: readonly PaymentEmission[] } | undefined) {
    if (decision === undefined) return
    const { row, emissions } = decision
    this.payments.set(row.paymentId, row)
    for (const each of emissions) {
      if (each.kind === 'gatewayCall') {
        this.send({ to: 'gateway', value: each.request }, row.orderId)
        continue
      }
      this.events.push(each.event)
      this.send({ to: 'orders', value: each.event }, `${row.orderId}|pay`)
    }
  }

  #storeOrder(decision: OrderDecision | undefined): void {
    if (decision === undefined) return
    const { row, emissions } = decision
    const { orderId } = row
    this.notifications.push(...notificationsOf(this.orders.get(orderId), row, this.nowMs))
    this.orders.set(orderId, row)
    for (const each of emissions) {
      switch (each.kind) {
        case 'orderEvent':
          this.events.push(each.message)
          this.#noteEvent(each.message.eventId, each.message.eventType, orderId)
          break
        case 'inventoryCommand':
          this.send({ to: 'inventory', value: each.message }, each.message.data.productId)
          break
        case 'paymentCommand':
          this.send({ to: 'payments', value: this.#perhapsForged(each.message, row) }, orderId)
          break
        case 'shipmentCommand':
          this.send({ to: 'shipments', value: each.message }, orderId)
          break
        case 'platformEvent':
          this.events.push(each.message)
          break
      }
    }
  }

  #perhapsForged(command: PaymentCommand, row: OrderRow): PaymentCommand {
    const isForged = this.#sabotage.refundsShipped === true && parcelsOf(row) > 0
    if (!isForged || command.commandType !== 'RefundPayment') return command
    const { data } = command
    return { ...command, data: { ...data, amountMinor: data.amountMinor + 1 } }
  }

  #noteEvent(eventId: string, eventType: string, orderId: string): void {
    if (this.eventIds.has(eventId))
      throw new Error(`event id ${eventId} of ${eventType} used twice`)
    this.eventIds.set(eventId, eventType)
    if (!/\.(completed|rejected|cancelled|expired)$/.test(eventType)) return
    this.outcomes.set(orderId, [...(this.outcomes.get(orderId) ?? []), eventType])
  }

  #banked(paymentId: string): { captured: number; refunded: number } {
    let captured = 0
    let refunded = 0
    for (const entry of this.bank.values()) {
      if (entry.paymentId !== paymentId) continue
      if (entry.amountMinor >= 0) captured += entry.amountMinor
      else refunded -= entry.amountMinor
    }
    return { captured, refunded }
  }

  #orderContext() {
    const { deadlines, chargesMax } = this.config
    const backorders = { ...this.config.backorders, accepted: this.acceptsBackorders }
    return { nowMs: this.nowMs, deadlines, chargesMax, backorders }
  }

  #head(lane: string): WorldMessage {
    const message = this.queues.get(lane)?.[0]
    if (message === undefined) throw new Error(`the lane ${lane} is empty`)
    return message
  }

  #take(lane: string): void {
    const queue = this.queues.get(lane)!
    queue.shift()
    if (queue.length === 0) this.queues.delete(lane)
  }
}

const done = (
  request: GatewayRequest,
  value: (GatewayResult & { kind: 'done' })['value'],
): GatewayResult => ({ kind: 'done', request, value })

/** Messages that come from outside; only they may become dead letters. */
export const isFromOutside = ({ to, value }: WorldMessage): boolean =>
  (to === 'orders' && 'commandType' in (value as OrderCommand))
  || (to === 'inventory' && (value as InventoryCommand).commandType === 'UpdateStock')
  || (to === 'payments' && (value as PaymentCommand).source === 'test')
