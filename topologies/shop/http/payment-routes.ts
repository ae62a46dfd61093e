/**
 * `/api/payments`: record a customer's transfer, look at a payment, pay back.
 *
 * 1. A POST makes sense for an order that waits for a transfer: cards are charged by the order
 * itself. What comes of it the payments flow decides, and the order takes notice. 2. Ids derive
 * from Idempotency-Key within their order or payment, so a retry is the same payment or refund.
 * 3. A refund above what was captured, less every refund that is done or under way, is refused:
 * here, and by the payments flow if two race. 4. An id does not tell its partition: all are asked,
 * and from then on the order is known.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { capturedMinorOf, dueMinorOf, type OrderRow } from '../orders/order-row.ts'
import {
  type PaymentRefund,
  type PaymentRow,
  refundableMinorOf,
  refundRefusals,
} from '../payments/payment-row.ts'
import { bodyHash } from '../shared/body-hash.ts'
import { uuidV5, uuidV7 } from '../shared/ids.ts'
import { formatMinor } from '../shared/money.ts'
import {
  parsePaymentRequest,
  parseRefundRequest,
  type PaymentRequest,
} from '../shared/payment-request.ts'
import { acceptedReply } from './accepted-reply.ts'
import { amountMinorOf, bodyOf } from './bodies.ts'
import { getPaymentDoc, payDoc, refundDoc } from './docs/payment-docs.ts'
import { IdempotencyKeys, keyReused, tellReplayed } from './idempotency-keys.ts'
import { ifMatchOf, versionPassed } from './if-match.ts'
import { processedOrder } from './known-order.ts'
import { behindWaitMs, type Known, knownRow, waitForRow } from './known-row.ts'
import type { OfOrder } from './money-access.ts'
import { pathId } from './path-id.ts'
import { paymentView } from './payment-view.ts'
import { problemKinds } from './problem-kinds.ts'
import { RouteProblem } from './route-problem.ts'
import { rowReply } from './row-reply.ts'
import type { Found, ShopHost } from './shop-access.ts'
import { unlessMoving } from './unless-moving.ts'
import { waitMsOf, type WaitQuery, waitQuery } from './wait-query.ts'

/** How long a refund is waited for by default: the provider may take longer. */
const refundWaitMs = 1_000

interface PaymentParams {
  readonly paymentId: string
}

interface Payments {
  readonly access: ShopHost
  readonly keys: IdempotencyKeys
}

type PayRequest = FastifyRequest<{ Querystring: WaitQuery }>
type RefundRequest = FastifyRequest<{ Params: PaymentParams; Querystring: WaitQuery }>

export const paymentRoutes = (server: FastifyInstance, access: ShopHost): void => {
  const payments = { access, keys: new IdempotencyKeys() }
  const schema = { querystring: waitQuery }
  server.post<{ Querystring: WaitQuery }>(
    '/api/payments',
    { schema, config: { doc: payDoc } },
    (request, reply) =>
      payments.keys.alone(request, 'payments', (key) => pay(payments, { request, key }, reply)),
  )
  server.get<{ Params: PaymentParams }>(
    '/api/payments/:paymentId',
    { config: { doc: getPaymentDoc } },
    async (request, reply) => {
      const id = pathId(request.params.paymentId, 'payment')
      return rowReply(reply, request, await knownPayment(access, id), paymentView)
    },
  )
  server.post<{ Params: PaymentParams; Querystring: WaitQuery }>(
    '/api/payments/:paymentId/refund',
    { schema, config: { doc: refundDoc } },
    (request, reply) => {
      const paymentId = pathId(request.params.paymentId, 'payment')
      return payments.keys.alone(request, paymentId, (key) =>
        payBack(payments, { request, paymentId, key }, reply),
      )
    },
  )
}

const pay = async (
  { access, keys }: Payments,
  { request, key }: { readonly request: PayRequest; readonly key: string | undefined },
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const body = bodyOf(parsePaymentRequest(request.body), 'payment')
  const { orderId } = body
  if (key !== undefined) keys.bind(key, bodyHash(body))
  const paymentId = uuidV5(orderId, `payment:${key ?? uuidV7(Date.now())}`)
  const find = (): Promise<Found<PaymentRow>> => access.findPayment({ id: paymentId, orderId })
  let found = key === undefined ? undefined : await unlessMoving(find())
  if (found?.row === undefined) {
    const { row: order } = await processedOrder(access, orderId)
    const problem = whyNotPayable(order, body)
    // a retry may meet the order after its payment
    if (problem !== undefined) found = key === undefined ? undefined : await find()
    if (problem !== undefined && found?.row === undefined) throw problem
    if (problem === undefined) {
      await access.processPayment({
        paymentId,
        orderId,
        customerId: order.customerId,
        amountMinor: paymentMinorOf(order, body),
        currency: order.currency,
        method: 'transfer',
      })
    }
  }
  if (key !== undefined && found?.row !== undefined) {
    checkSame(found.row, body, key)
    tellReplayed(reply)
  }
  const waitMs = waitMsOf(request.query, 0)
  const payment = await waitForRow(find, { waitMs, isEnough: isDecided })
  return payment === undefined
    ? acceptedReply(reply, pathOf(paymentId), { paymentId, orderId })
    : rowReply(reply.header('location', pathOf(paymentId)), request, payment, paymentView)
}

const isDecided = ({ state }: PaymentRow): boolean => state === 'captured' || state === 'declined'

const pathOf = (paymentId: string): string => `/api/payments/${paymentId}`

const whyNotPayable = (
  order: OrderRow,
  { currency = order.currency }: PaymentRequest,
): RouteProblem | undefined => {
  const { orderId, status, paymentMethod, charges } = order
  if (currency !== order.currency) {
    const detail = `Order ${orderId} is in ${order.currency}, not in ${currency}.`
    return new RouteProblem(problemKinds.wrongCurrency, detail)
  }
  const { notPayable } = problemKinds
  if (paymentMethod !== 'transfer') {
    return new RouteProblem(notPayable, `Order ${orderId} is paid by card: it charges it itself.`)
  }
  const isWaiting = status === 'reserving' || status === 'paying'
  if (isWaiting && charges.every(({ state }) => state === 'declined')) return undefined
  return new RouteProblem(notPayable, `Order ${orderId} is ${status} and waits for no payment.`)
}

const paymentMinorOf = (order: OrderRow, { amount }: PaymentRequest): number => {
  if (amount !== undefined) return amountMinorOf(amount, order.currency)
  const leftMinor = dueMinorOf(order) - capturedMinorOf(order)
  if (leftMinor > 0) return leftMinor
  throw new RouteProblem(problemKinds.notPayable, `Order ${order.orderId} costs nothing.`)
}

/** @throws {RouteProblem} 422: the key made another payment */
const checkSame = (
  { amountMinor, currency }: PaymentRow,
  { amount, currency: given = currency }: PaymentRequest,
  key: string,
): void => {
  const isSame =
    given === currency && (amount === undefined || amountMinorOf(amount, currency) === amountMinor)
  if (!isSame) throw keyReused(key)
}

interface Refund {
  readonly request: RefundRequest
  readonly paymentId: string
  readonly key: string | undefined
}

const payBack = async (
  { access, keys }: Payments,
  { request, paymentId, key }: Refund,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const body = bodyOf(parseRefundRequest(request.body ?? {}), 'refund')
  const ifVersion = ifMatchOf(request)
  if (key !== undefined) keys.bind(key, bodyHash(body), paymentId)
  const refundId = uuidV5(paymentId, `refund:key:${key ?? uuidV7(Date.now())}`)
  const { row } = await knownPayment(access, paymentId)
  const { orderId, currency } = row
  const find = (): Promise<Found<PaymentRow>> => access.findPayment({ id: paymentId, orderId })
  const known = refundOf(row, refundId)
  if (known === undefined) {
    const amountMinor = refundMinorOf(row, { amount: body.amount, ifVersion })
    const { reason } = body
    await access.refundPayment({
      refundId,
      paymentId,
      orderId,
      amountMinor,
      reason,
      ...(ifVersion !== undefined && { ifVersion }),
    })
  } else {
    if (body.amount !== undefined && key !== undefined) {
      if (amountMinorOf(body.amount, currency) !== known.amountMinor) throw keyReused(key)
    }
    tellReplayed(reply)
  }
  const isEnough = (after: PaymentRow): boolean => {
    const state = refundOf(after, refundId)?.state
    return state === 'done' || state === 'failed'
  }
  const waitMs = waitMsOf(request.query, refundWaitMs)
  const payment = await waitForRow(find, { waitMs, isEnough })
  return refundReply({ request, reply, payment, refundId, paymentId, ifVersion })
}

interface RefundAnswer {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly payment: Known<PaymentRow> | undefined
  readonly paymentId: string
  readonly refundId: string
  readonly ifVersion: number | undefined
}

const refundReply = (answer: RefundAnswer): FastifyReply => {
  const { request, reply, payment, paymentId, refundId, ifVersion } = answer
  const refund = payment && refundOf(payment.row, refundId)
  if (payment === undefined || refund === undefined) {
    return acceptedReply(reply, pathOf(paymentId), { refundId, paymentId })
  }
  const { state, reason, amountMinor } = refund
  if (state === 'failed' && reason === refundRefusals.versionChanged) {
    throw versionPassed(ifVersion ?? 'of the first request', payment.row.version)
  }
  if (state === 'failed' && reason === refundRefusals.exceedsCaptured) {
    throw tooMuch(payment.row, amountMinor)
  }
  return rowReply(reply.header('location', pathOf(paymentId)), request, payment, paymentView)
}

/** @throws {RouteProblem} 412: another version; 409: more than is left, or nothing to pay back */
const refundMinorOf = (
  row: PaymentRow,
  {
    amount,
    ifVersion,
  }: { readonly amount: string | number | undefined; readonly ifVersion: number | undefined },
): number => {
  const { paymentId, state, version, currency } = row
  if (ifVersion !== undefined && ifVersion !== version) throw versionPassed(ifVersion, version)
  if (state !== 'captured') {
    const detail = `Payment ${paymentId} is ${state}: nothing can be paid back.`
    throw new RouteProblem(problemKinds.nothingCaptured, detail)
  }
  const leftMinor = refundableMinorOf(row)
  const amountMinor = amount === undefined ? leftMinor : amountMinorOf(amount, currency)
  if (amountMinor > leftMinor || leftMinor === 0) throw tooMuch(row, amountMinor)
  return amountMinor
}

const tooMuch = (row: PaymentRow, amountMinor: number): RouteProblem => {
  const { paymentId, currency } = row
  const money = (minor: number): string => `${formatMinor(minor, currency)} ${currency}`
  const left = money(refundableMinorOf(row))
  const detail = `${money(amountMinor)} of payment ${paymentId}: ${left} are left.`
  return new RouteProblem(problemKinds.refundTooHigh, detail)
}

const refundOf = ({ refunds }: PaymentRow, refundId: string): PaymentRefund | undefined =>
  refunds?.find((each) => each.refundId === refundId)

/** @throws {RouteProblem} 404, 503 */
const knownPayment = (access: ShopHost, id: string): Promise<Known<PaymentRow>> => {
  const payment: OfOrder = { id }
  return knownRow(
    () => access.findPayment(payment),
    () => access.settledPayment(payment, behindWaitMs),
    { name: `payment ${id}`, unknown: problemKinds.noSuchPayment },
  )
}
