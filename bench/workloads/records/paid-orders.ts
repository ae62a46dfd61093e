/**
 * Orders and their payments in the order of event time: the inputs of W3 and W4.
 *
 * Input 0 are the orders, 14 ms apart, input 1 the payments; both go by the order's id. All lies in
 * the past, ticks too: what is far ahead of the clock becomes a dead letter.
 */

import { hours, type Prng } from '../../../src/index.ts'
import type { InputRecord } from '../../load/workload-data.ts'

const [spacingMs, idDigits] = [14, 8]

export interface MadePayment {
  readonly delayMs: number
  readonly amount: number
}

/** How orders are paid: the share of payments that are too small, and how late they come. */
export interface PaymentOdds {
  readonly shortShare: number
  readonly delayMinMs: number
  /** Exclusive. */
  readonly delayMaxMs: number
}

export const drawPayment = (
  prng: Prng,
  due: number,
  { shortShare, delayMinMs, delayMaxMs }: PaymentOdds,
): MadePayment => {
  const amount = prng.chance(shortShare) ? prng.int(due) : due
  return { amount, delayMs: delayMinMs + prng.int(delayMaxMs - delayMinMs) }
}

export interface PaidOrders {
  readonly orders: number
  /** Event time of the first order. */
  readonly firstMs: number
  /** What an order holds besides its id and time. */
  orderOf(index: number): object
  /** In any order; a payment sent twice is there twice. */
  paymentsOf(index: number): readonly MadePayment[]
}

export const orderIdOf = (index: number): string => `o-${String(index).padStart(idDigits, '0')}`
export const paymentIdOf = (index: number): string => `p-${String(index).padStart(idDigits, '0')}`
/** The index of an order of so many. @throws {Error} none has this id */
export const sentIndexOf = (workload: string, orders: number, orderId: string): number => {
  const index = Number(orderId.slice('o-'.length))
  if (index < orders && orderIdOf(index) === orderId) return index
  throw new Error(`${workload}: ${orderId} was not sent`)
}
/** Of the first of so many orders: the last is two hours old. */
export const firstOrderMs = (orders: number): number => Date.now() - orders * spacingMs - hours(2)
export const orderTimeMs = (firstMs: number, index: number): number => firstMs + index * spacingMs

export function* paidOrderInputs(made: PaidOrders): Generator<InputRecord> {
  const { orders, firstMs, orderOf } = made
  const payments = sortedPayments(made)
  let paid = 0
  for (let index = 0; index < orders; index++) {
    const ts = orderTimeMs(firstMs, index)
    for (; paid < payments.length && payments[paid]!.ts < ts; paid++) {
      yield paymentInput(payments[paid]!)
    }
    const orderId = orderIdOf(index)
    yield inputOf(0, orderId, { orderId, ...orderOf(index), ts })
  }
  for (; paid < payments.length; paid++) yield paymentInput(payments[paid]!)
}

interface TimedPayment {
  readonly index: number
  readonly amount: number
  readonly ts: number
}

const sortedPayments = ({ orders, firstMs, paymentsOf }: PaidOrders): readonly TimedPayment[] => {
  const payments: TimedPayment[] = []
  for (let index = 0; index < orders; index++) {
    for (const { delayMs, amount } of paymentsOf(index)) {
      payments.push({ index, amount, ts: orderTimeMs(firstMs, index) + delayMs })
    }
  }
  return payments.sort((a, b) => a.ts - b.ts)
}

const paymentInput = ({ index, amount, ts }: TimedPayment): InputRecord => {
  const orderId = orderIdOf(index)
  const payment = { paymentId: paymentIdOf(index), orderId, amount, method: 'card', ts }
  return inputOf(1, orderId, payment)
}

/** @param value  `ts` is its event time, in ms */
export const inputOf = <V extends { readonly ts: number }>(
  input: number,
  key: string,
  value: V,
): InputRecord => ({
  input,
  key: Buffer.from(key),
  value: Buffer.from(JSON.stringify(value)),
  timestampMs: value.ts,
})
