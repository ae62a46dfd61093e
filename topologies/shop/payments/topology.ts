/**
 * The payments flow: charges and refunds through the gateway, by orderId.
 *
 * Glue only: asks `model.ts`. Part of `shop.ts`. Charges and refunds share one outbox, so that a
 * refund of a key waits for the charge before it.
 */

import { effect, mapValues, merge, ofKind, process, stream, to } from '../../../src/index.ts'
import { gatewayKeyOf } from '../gateway/payment-gateway.ts'
import { checkKey } from '../shared/check-key.ts'
import type { PaymentCommand } from '../shared/commands.ts'
import type { ShopConfig } from '../shared/config.ts'
import { count, duplicatesCounter } from '../shared/counters.ts'
import type { PaymentEvent } from '../shared/events.ts'
import type { Flow } from '../shared/flow.ts'
import { tellPayment } from '../shared/local-invariants.ts'
import { paymentCommands, payments } from '../shared/topics.ts'
import { decideAnswer, decidePayment, type GatewayResult, type PaymentEmission } from './model.ts'
import { gatewayCalls, paymentStore, paymentTotals } from './stores.ts'

export const paymentsFlow = (config: ShopConfig): Flow<PaymentEvent> => {
  const decided$ = stream(paymentCommands).pipe(commandDecider(config))
  const told$ = decided$.pipe(
    ofKind('paymentEvent'),
    mapValues(({ event }) => event),
  )
  const answered$ = decided$.pipe(
    ofKind('gatewayCall'),
    mapValues(({ request }) => request),
    effect(gatewayCalls, config.gateway, {
      ...config.gatewayCalls,
      idempotencyKeyOf: ({ value }) => gatewayKeyOf(value),
    }),
    answerDecider(config),
  )
  const events$ = merge(told$, answered$)
  return { events$, sinks: [events$.pipe(to(payments))] }
}

const commandDecider = ({ onViolation }: ShopConfig) => {
  const stores = { rows: paymentStore, totals: paymentTotals }
  return process<string, PaymentCommand, typeof stores, PaymentEmission>('payments', stores, {
    onRecord: ({ key, value }, { rows, totals }, context) => {
      checkKey(key, value.data.orderId, 'orderId')
      const decision = decidePayment(rows.get(value.data.paymentId), value, context.nowMs())
      if (decision === undefined) {
        count(totals, duplicatesCounter)
        return []
      }
      rows.put(decision.row.paymentId, decision.row)
      tellPayment(onViolation, decision.row)
      return decision.emissions
    },
    prefetchKeys: ({ value }) => ({ rows: [value.data.paymentId] }),
  })
}

const answerDecider = ({ onViolation }: ShopConfig) => {
  const stores = { rows: paymentStore, totals: paymentTotals }
  return process<string, GatewayResult, typeof stores, PaymentEvent>('gateway-answers', stores, {
    onRecord: ({ value }, { rows, totals }, context) => {
      const row = rows.get(value.request.paymentId)
      if (row === undefined) throw new Error(`no payment ${value.request.paymentId}`)
      const decision = decideAnswer(row, value, context.nowMs())
      if (decision === undefined) {
        count(totals, duplicatesCounter)
        return []
      }
      rows.put(row.paymentId, decision.row)
      tellPayment(onViolation, decision.row)
      return decision.emissions.flatMap((each) =>
        each.kind === 'paymentEvent' ? [each.event] : [],
      )
    },
  })
}
