/**
 * The audit flow: every event to `ecom.audit`, under the aggregate it is about.
 *
 * A branch of each flow, in its tasks: an entry becomes visible with its event, in the same
 * transaction, and the entries of an aggregate are in the order of its events, since one task
 * writes them all. Has no state. Part of `shop.ts`.
 */

import { filter, mapValues, type Observable, type StreamRecord, to } from '../../../src/index.ts'
import type { InventoryFlow } from '../inventory/topology.ts'
import type { OrdersFlow } from '../orders/topology.ts'
import { auditEntryOf } from '../shared/audit-entry.ts'
import type { InventoryEvent, PaymentEvent, ShipmentEvent, ShopEvent } from '../shared/events.ts'
import type { Flow } from '../shared/flow.ts'
import { audit, inventory, orders, payments, platform, shipments } from '../shared/topics.ts'

export interface AuditedFlows {
  readonly stock: InventoryFlow
  readonly decided: OrdersFlow
  readonly paid: Flow<PaymentEvent>
  readonly shipped: Flow<ShipmentEvent>
}

export const auditFlow = ({
  stock,
  decided,
  paid,
  shipped,
}: AuditedFlows): readonly Observable<unknown>[] => [
  audited(inventory.name, changesOf(stock)),
  audited(orders.name, decided.events$),
  audited(platform.name, decided.platformEvents$),
  audited(payments.name, paid.events$),
  audited(shipments.name, shipped.events$),
]

/** Answers that change nothing may be given again; what they say was audited when it came about. */
const changesOf = ({ decided$ }: InventoryFlow): Observable<StreamRecord<string, InventoryEvent>> =>
  decided$.pipe(
    filter(({ value }) => value.isRepeat !== true),
    mapValues(({ event }): InventoryEvent => event),
  )

const audited = (
  topic: string,
  events$: Observable<StreamRecord<string, ShopEvent>>,
): Observable<unknown> =>
  events$.pipe(
    mapValues((event) => auditEntryOf(topic, event)),
    to(audit, ({ value }) => value.event.aggregateId),
  )
