/**
 * Goal: the types that the shop is written in are those of its Avro schemas, field by field, both
 * ways. Checked by `tsc` only, never run: a field that only one side has is an error here.
 */

import type {
  InventoryCommand,
  OrderCommand,
  PaymentCommand,
  ShipmentCommand,
} from '../../topologies/shop/shared/commands.ts'
import type { CommandEnvelope, EventEnvelope } from '../../topologies/shop/shared/envelope.ts'
import type { NotificationRequested, ShopEvent } from '../../topologies/shop/shared/events.ts'
import type * as commands from '../shop/command-schema-types.ts'
import type * as events from '../shop/event-schema-types.ts'

/** Identical, also in what is optional and readonly: mutual assignability would allow more. */
type Same<A, B> =
  (<T>() => T extends Plain<A> ? 1 : 2) extends <T>() => T extends Plain<B> ? 1 : 2 ? true : false

/** Names of interfaces resolved, all the way down. */
type Plain<T> = T extends string | number | boolean | undefined
  ? T
  : { readonly [K in keyof T]: Plain<T[K]> }

/** The member of a union that carries a tag; each tag of a shared envelope stands for itself. */
type Event<All, Type extends string> =
  All extends EventEnvelope<infer Types, infer Data>
    ? Type extends Types
      ? EventEnvelope<Type, Data>
      : never
    : never

type Command<All, Type extends string> =
  All extends CommandEnvelope<infer Types, infer Data>
    ? Type extends Types
      ? CommandEnvelope<Type, Data>
      : never
    : never

type AnyEvent = ShopEvent | NotificationRequested
type AnyCommand = OrderCommand | InventoryCommand | PaymentCommand | ShipmentCommand

/** Every event and command, by its type: a new one is missing here until it is added. */
interface Schemas {
  readonly 'order.created': events.OrderCreated
  readonly 'order.create-refused': events.OrderCreateRefused
  readonly 'order.updated': events.OrderUpdated
  readonly 'order.update-refused': events.OrderUpdateRefused
  readonly 'order.confirmed': events.OrderConfirmed
  readonly 'order.cancelled': events.OrderCancelled
  readonly 'order.rejected': events.OrderRejected
  readonly 'order.expired': events.OrderExpired
  readonly 'order.completed': events.OrderCompleted
  readonly 'payment.processed': events.PaymentProcessed
  readonly 'payment.unknown': events.PaymentUnknown
  readonly 'payment.refunded': events.PaymentRefunded
  readonly 'stock.reserved': events.StockReserved
  readonly 'stock.backordered': events.StockBackordered
  readonly 'reservation.failed': events.ReservationFailed
  readonly 'stock.deducted': events.StockDeducted
  readonly 'deduct.failed': events.DeductFailed
  readonly 'stock.released': events.StockReleased
  readonly 'hold.expired': events.HoldExpired
  readonly 'inventory.updated': events.InventoryUpdated
  readonly 'inventory.update-refused': events.InventoryUpdateRefused
  readonly 'stock.low': events.StockLow
  readonly 'shipment.created': events.ShipmentCreated
  readonly 'shipment.status-updated': events.ShipmentStatusUpdated
  readonly 'workflow.started': events.WorkflowStarted
  readonly 'saga.completed': events.SagaCompleted
  readonly 'saga.compensated': events.SagaCompensated
  readonly 'notification.requested': events.NotificationRequested
}

interface CommandSchemas {
  readonly CreateOrder: commands.CreateOrder
  readonly UpdateOrder: commands.UpdateOrder
  readonly CancelOrder: commands.CancelOrder
  readonly RefundOrder: commands.RefundOrder
  readonly ReserveStock: commands.ReserveStock
  readonly DeductStock: commands.DeductStock
  readonly ReleaseStock: commands.ReleaseStock
  readonly UpdateStock: commands.UpdateStock
  readonly ProcessPayment: commands.ProcessPayment
  readonly RefundPayment: commands.RefundPayment
  readonly CreateShipment: commands.CreateShipment
  readonly UpdateShipmentStatus: commands.UpdateShipmentStatus
}

type Checked = {
  readonly [T in AnyEvent['eventType']]: Same<Schemas[T], Event<AnyEvent, T>>
} & {
  readonly [T in AnyCommand['commandType']]: Same<CommandSchemas[T], Command<AnyCommand, T>>
}

/** Types whose schema is another one; the compiler names them. */
type Different = { [T in keyof Checked]: Checked[T] extends true ? never : T }[keyof Checked]

const none = (_types: [Different] extends [never] ? 'all are the same' : Different): void => {}
none('all are the same')

type Made = { readonly a: string; readonly b?: number }
const differs = <T extends false>(_is: T): void => {}
differs<Same<Made, { readonly a: string }>>(false)
differs<Same<Made, { readonly a: string; readonly b: number }>>(false)
differs<Same<Made, { readonly a: string; readonly b?: string }>>(false)
