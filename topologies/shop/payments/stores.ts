/** State of the payments flow, partitioned by orderId. */

import { json, keyValueStore, outboxStore, utf8 } from '../../../src/index.ts'
import type { GatewayRequest } from '../gateway/payment-gateway.ts'
import { paymentRows } from './payment-row.ts'

/** By paymentId. */
export const paymentStore = keyValueStore('payments', { key: utf8, value: paymentRows })

/** Calls to the provider that have no definite answer yet. */
export const gatewayCalls = outboxStore('gateway-calls', {
  key: utf8,
  value: json<GatewayRequest>(),
})

/** Counters of the task. */
export const paymentTotals = keyValueStore('payment-totals', { key: utf8, value: json<number>() })
