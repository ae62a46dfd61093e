/**
 * The analytics: figures of all flows, counted in the tasks where the events are decided.
 *
 * Decides nothing and sends nothing: it is there to be asked. Part of `shop.ts`; its nodes join the
 * sub-topologies of the flows they follow, behind their sinks. 1. A fact is counted in the record
 * that decided it, so once, whatever is repeated around it. 2. No node here throws: the flow's
 * decision stands or falls with the same record.
 */

import {
  flatMapValues,
  type KeyValueState,
  leftJoinWithin,
  type Observable,
  ofKind,
  process,
  type StreamRecord,
} from '../../../src/index.ts'
import type { StockEmission } from '../inventory/model.ts'
import type { InventoryFlow } from '../inventory/topology.ts'
import { productStore } from '../inventory/stores.ts'
import type { OrdersFlow, PaymentTaken } from '../orders/topology.ts'
import type { PaymentRow } from '../payments/payment-row.ts'
import { paymentStore } from '../payments/stores.ts'
import type { ShopConfig } from '../shared/config.ts'
import type { OrderEvent, PaymentEvent, ShipmentEvent } from '../shared/events.ts'
import type { Flow } from '../shared/flow.ts'
import { shipmentStore } from '../shipments/stores.ts'
import { countFact } from './count-fact.ts'
import { delayFact, type PaymentDelay, tooLateFact } from './delay-fact.ts'
import { lowStockOf } from './low-stock-row.ts'
import { orderFact } from './order-fact.ts'
import { paymentFact } from './payment-fact.ts'
import { shippingFact } from './shipping-fact.ts'
import { stockFact } from './stock-fact.ts'
import {
  type AwaitedPayment,
  awaitingPayment,
  isTooLateToJoin,
  lowStock,
  orderFigures,
  paymentFigures,
  shippingFigures,
  stockFigures,
} from './stores.ts'

export interface FollowedFlows {
  readonly stock: Pick<InventoryFlow, 'decided$'>
  readonly decided: Pick<OrdersFlow, 'events$' | 'decided$'>
  readonly paid: Pick<Flow<PaymentEvent>, 'events$'>
  readonly shipped: Pick<Flow<ShipmentEvent>, 'events$'>
}

export const analyticsFlow = (
  { stock, decided, paid, shipped }: FollowedFlows,
  which: ShopConfig['analytics'],
): readonly Observable<unknown>[] => {
  if (which === 'off') return []
  const awaited$ = decided.events$.pipe(orderCounter({ isJoined: which === 'all' }))
  return [
    which === 'all' ? delays(awaited$, decided) : awaited$,
    paid.events$.pipe(paymentCounter()),
    shipped.events$.pipe(shippingCounter()),
    stock.decided$.pipe(stockCounter()),
  ]
}

/** Each order meets its captures, or stays alone for 15 minutes. */
const delays = (
  awaited$: Observable<StreamRecord<string, AwaitedPayment>>,
  { decided$ }: FollowedFlows['decided'],
): Observable<unknown> => {
  const captures$ = decided$.pipe(ofKind('paymentTaken'), flatMapValues(captureTimes))
  return awaited$.pipe(leftJoinWithin(captures$, awaitingPayment, delayOf), delayCounter())
}

/** Of events that a flow of ours has just made: their times can be read. */
const atMsOf = ({ timestamp }: { readonly timestamp: string }): number => Date.parse(timestamp)

/** Of a payment that came by its topic, where others may have written a time that is none. */
const captureTimes = ({ message: { data, timestamp } }: PaymentTaken): readonly number[] => {
  const atMs = Date.parse(timestamp)
  return data.status === 'COMPLETED' && !Number.isNaN(atMs) ? [atMs] : []
}

/** Counts orders; hands on those that were created, where they are to wait for their money. */
const orderCounter = ({ isJoined }: { readonly isJoined: boolean }) =>
  process<string, OrderEvent, typeof orderFigures, AwaitedPayment>('order-figures', orderFigures, {
    onRecord: ({ value, timestampMs }, states, context) => {
      const [atMs, streamTimeMs] = [atMsOf(value), context.streamTimeMs()]
      const fact = orderFact(value, atMs)
      if (fact !== undefined) countFact(states, fact, streamTimeMs)
      if (value.eventType !== 'order.created' || !isJoined) return []
      const { paymentMethod: method, currency } = value.data
      const awaited = { createdAtMs: atMs, method, currency }
      if (!isTooLateToJoin(timestampMs, streamTimeMs)) return [awaited]
      countFact(states, tooLateFact(awaited), streamTimeMs)
      return []
    },
  })

const delayOf = (awaited: AwaitedPayment, paidAtMs: number | undefined): PaymentDelay =>
  paidAtMs === undefined ? awaited : { ...awaited, paidAtMs }

const delayCounter = () =>
  process<string, PaymentDelay, typeof orderFigures, never>('payment-delays', orderFigures, {
    onRecord: ({ value }, states, context) => {
      countFact(states, delayFact(value), context.streamTimeMs())
      return []
    },
  })

const paymentCounter = () => {
  const stores = { ...paymentFigures, payments: paymentStore }
  return process<string, PaymentEvent, typeof stores, never>('payment-figures', stores, {
    onRecord: ({ value }, { payments, ...states }, context) => {
      const { method } = 'method' in value.data ? value.data : rowOf(payments, value)
      countFact(states, paymentFact(value, method, atMsOf(value)), context.streamTimeMs())
      return []
    },
  })
}

/** The refund of a payment is decided by its row, so there is one. */
const rowOf = (
  payments: KeyValueState<string, PaymentRow>,
  { data: { paymentId } }: PaymentEvent,
): Pick<PaymentRow, 'method'> => payments.get(paymentId)!

const shippingCounter = () => {
  const stores = { ...shippingFigures, shipments: shipmentStore }
  return process<string, ShipmentEvent, typeof stores, never>('shipping-figures', stores, {
    onRecord: ({ value }, { shipments, ...states }, context) => {
      const times = shipments.get(value.data.shipmentId) ?? {}
      const fact = shippingFact(value, times, atMsOf(value))
      if (fact !== undefined) countFact(states, fact, context.streamTimeMs())
      return []
    },
  })
}

const stockCounter = () => {
  const stores = { ...stockFigures, products: productStore, low: lowStock }
  return process<string, StockEmission, typeof stores, never>('stock-figures', stores, {
    onRecord: ({ value: emission }, { products, low, ...states }, context) => {
      if (emission.isRepeat === true) return []
      const { event } = emission
      const atMs = atMsOf(event)
      const fact = stockFact(event, atMs)
      if (fact !== undefined) countFact(states, fact, context.streamTimeMs())
      const product = products.get(event.data.productId)
      if (product?.isLow === true) {
        low.put(product.productId, lowStockOf(product, low.get(product.productId), atMs))
      } else if (event.eventType === 'inventory.updated') low.delete(event.data.productId)
      return []
    },
  })
}
