/**
 * The customers flow: the events of orders, collected by the customer they belong to.
 *
 * Decides nothing and sends nothing: it is there to be asked. Part of `shop.ts`.
 */

import {
  filter,
  type KeyValueState,
  type Observable,
  process,
  repartitionBy,
  type StreamRecord,
} from '../../../src/index.ts'
import type { OrderEvent } from '../shared/events.ts'
import { customerEvents } from '../shared/topics.ts'
import { type CustomerRow, customerKey, customerRowOf, namesCustomer } from './customer-row.ts'
import { customerStore } from './stores.ts'

/** @param events$  of orders, as the orders flow writes them */
export const customersFlow = (
  events$: Observable<StreamRecord<string, OrderEvent>>,
): readonly Observable<unknown>[] => [
  events$.pipe(
    filter(({ value }) => namesCustomer(value)),
    repartitionBy(customerEvents, ({ value }) => customerOf(value)),
    collector(),
  ),
]

const customerOf = (event: OrderEvent): string => {
  if (namesCustomer(event)) return event.data.customerId
  throw new TypeError(`${event.eventType} names no customer`)
}

interface CustomerStores {
  readonly rows: KeyValueState<string, CustomerRow>
}

const collector = () => {
  const stores = { rows: customerStore }
  return process<string, OrderEvent, typeof stores, never>('customers', stores, {
    onRecord: ({ key, value }, { rows }: CustomerStores) => {
      if (!namesCustomer(value)) return []
      const row = customerRowOf(value)
      rows.put(customerKey(key, row), row)
      return []
    },
  })
}
