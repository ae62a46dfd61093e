/**
 * The analytics: figures of all flows, counted in the tasks where the events are decided.
 *
 * Decides nothing and sends nothing: it is there to be asked. Part of `shop.ts`; its nodes join the
 * sub-topologies of the flows they follow, behind their sinks. 1. A fact is counted in the record
 * that decided it, so once, whatever is repeated around it. 2. No node here throws: the flow's
 * decision stands or falls with the same record.
 */

import { type KeyValueState, type Observable, ofKind, process } from '../../../src/index.ts'
import type { StockEmission } from '../inventory/model.ts'
import type { InventoryFlow } from '../inventory/topology.ts'
import { productStore } from '../inventory/stores.ts'
import type { FirstCapture, OrdersFlow } from '../orders/topology.ts'
import type { PaymentRow } from '../payments/payment-row.ts'
import { paymentStore } from '../payments/stores.ts'
import type { OrderEvent, PaymentEvent, ShipmentEvent } from '../shared/events.ts'
import type { Flow } from '../shared/flow.ts'
import { shipmentStore } from '../shipments/stores.ts'
import { countFact } from './count-fact.ts'
import { awaitedFact, paidFact } from './delay-fact.ts'
import { lowStockOf } from './low-stock-row.ts'
import { orderFact } from './order-fact.ts'
import { paymentFact } from './payment-fact.ts'
import { shippingFact } from './shipping-fact.ts'
import { stockFact } from './stock-fact.ts'
import { lowStock, orderFigures, paymentFigures, shippingFigures, stockFigures } from './stores.ts'

export interface FollowedFlows {
  readonly stock: Pick<InventoryFlow, 'decided$'>
  readonly decided: Pick<OrdersFlow, 'events$' | 'decided$'>
  readonly paid: Pick<Flow<PaymentEvent>, 'events$'>
  readonly shipped: Pick<Flow<ShipmentEvent>, 'events$'>
}

export const analyticsFlow = ({
  stock,
  decided,
  paid,
  shipped,
}: FollowedFlows): readonly Observable<unknown>[] => {
  const captures$ = decided.decided$.pipe(ofKind('firstCapture'))
  return [
    decided.events$.pipe(orderCounter()),
    captures$.pipe(delayCounter()),
    paid.events$.pipe(paymentCounter()),
    shipped.events$.pipe(shippingCounter()),
    stock.decided$.pipe(stockCounter()),
  ]
}

/** Of events that a flow of ours has just made: their times can be read. */
const atMsOf = ({ timestamp }: { readonly timestamp: string }): number => Date.parse(timestamp)

const orderCounter = () =>
  process<string, OrderEvent, typeof orderFigures, never>('order-figures', orderFigures, {
    onRecord: ({ value }, states, context) => {
      const [atMs, streamTimeMs] = [atMsOf(value), context.streamTimeMs()]
      const fact = orderFact(value, atMs)
      if (fact !== undefined) countFact(states, fact, streamTimeMs)
      if (value.eventType === 'order.created') {
        countFact(states, awaitedFact(value.data, atMs), streamTimeMs)
      }
      return []
    },
  })

/** The payment came by its topic, where others may have written a time that is none. */
const delayCounter = () =>
  process<string, FirstCapture, typeof orderFigures, never>('payment-delays', orderFigures, {
    onRecord: ({ value: { message, row }, timestampMs }, states, context) => {
      const atMs = atMsOf(message)
      const paidAtMs = Number.isNaN(atMs) ? timestampMs : atMs
      countFact(states, paidFact(row, paidAtMs), context.streamTimeMs())
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
