/** State of the orders flow, partitioned by orderId. */

import { json, keyValueStore, utf8 } from '../../../src/index.ts'
import { orderRows } from './order-row.ts'

/** By orderId; rows stay after the order's end, to recognise what comes late. */
export const orderStore = keyValueStore('orders', { key: utf8, value: orderRows })

/** One row per open order: `<ms>|<orderId>`, where `OrderRow.indexedDeadlineMs` says. */
export const orderDeadlines = keyValueStore('order-deadlines', { key: utf8, value: json<1>() })

/** Counters of the task, see `totals.ts`. */
export const orderTotals = keyValueStore('order-totals', { key: utf8, value: json<number>() })
