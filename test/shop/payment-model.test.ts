import { describe, expect, it } from 'vitest'
import type {
  GatewayAnswer,
  GatewayRequest,
} from '../../topologies/shop/gateway/payment-gateway.ts'
import {
  decideAnswer,
  decidePayment,
  type PaymentDecision,
} from '../../topologies/shop/payments/model.ts'
import { type PaymentRow, refundableMinorOf } from '../../topologies/shop/payments/payment-row.ts'
import type { ProcessPaymentData, RefundPayment } from '../../topologies/shop/shared/commands.ts'
import { newCommand } from '../../topologies/shop/shared/new-command.ts'

const origin = { commandId: 'c', source: 't', nowMs: 0 }
const data: ProcessPaymentData = {
  paymentId: 'p',
  orderId: 'o',
  customerId: 'ann',
  amountMinor: 100,
  currency: 'EUR',
  method: 'card',
}
const charge = newCommand('ProcessPayment', data, origin)
const refund = (refundId: string, amountMinor: number): RefundPayment =>
  newCommand(
    'RefundPayment',
    { refundId, paymentId: 'p', orderId: 'o', amountMinor, reason: 'why' },
    origin,
  )

const answer = (row: PaymentRow, request: GatewayRequest, value: GatewayAnswer) =>
  decideAnswer(row, { kind: 'done', request, value }, 1)

const requestOf = ({ emissions }: PaymentDecision): GatewayRequest => {
  const [first] = emissions
  if (first?.kind !== 'gatewayCall') throw new Error('no call')
  return first.request
}

const asked = decidePayment(undefined, charge, 0)!
const captured = answer(asked.row, requestOf(asked), {
  kind: 'captured',
  capturedMinor: 100,
  transactionId: 't',
})!

const toldBy = (decision: PaymentDecision | undefined): readonly unknown[] =>
  (decision?.emissions ?? []).map((each) =>
    each.kind === 'paymentEvent'
      ? [each.event.eventType, 'status' in each.event.data ? each.event.data.status : '']
      : each.kind,
  )

describe('a charge', () => {
  it('is asked for once, and answered once', () => {
    expect(requestOf(asked)).toMatchObject({ kind: 'charge', paymentId: 'p', amountMinor: 100 })
    expect(decidePayment(asked.row, charge, 0)).toBeUndefined()
    expect(toldBy(captured)).toEqual([['payment.processed', 'COMPLETED']])
    expect(
      answer(captured.row, requestOf(asked), { kind: 'declined', reason: 'no' }),
    ).toBeUndefined()
  })

  it('that is declined says FAILED and has no money', () => {
    const declined = answer(asked.row, requestOf(asked), { kind: 'declined', reason: 'no' })
    expect(toldBy(declined)).toEqual([['payment.processed', 'FAILED']])
    expect(declined?.row).toMatchObject({ state: 'declined', capturedMinor: 0, reason: 'no' })
  })

  it('of unknown outcome says so once, and takes the answer when it comes', () => {
    const result = { kind: 'unknown', request: requestOf(asked), error: 'time-out' } as const
    const unknown = decideAnswer(asked.row, result, 1)!
    expect(toldBy(unknown)).toEqual([['payment.unknown', '']])
    expect(decideAnswer(unknown.row, result, 2)).toBeUndefined()
    const known = answer(unknown.row, requestOf(asked), {
      kind: 'captured',
      capturedMinor: 100,
      transactionId: 't',
    })
    expect(toldBy(known)).toEqual([['payment.processed', 'COMPLETED']])
  })

  it('is refused under the id of another one, or without sense', () => {
    const other = newCommand('ProcessPayment', { ...data, amountMinor: 101 }, origin)
    expect(() => decidePayment(asked.row, other, 0)).toThrow(/PAYMENT_ID_REUSED/)
    for (const change of [
      { amountMinor: 0 },
      { amountMinor: 1.5 },
      { currency: 'x' },
      { method: 'cash' as 'card' },
      { paymentId: '' },
    ]) {
      const bad = newCommand('ProcessPayment', { ...data, ...change }, origin)
      expect(() => decidePayment(undefined, bad, 0)).toThrow(/BAD_COMMAND/)
    }
  })
})

describe('a refund', () => {
  it('counts from the moment it is asked for', () => {
    const first = decidePayment(captured.row, refund('r1', 60), 0)!
    expect(requestOf(first)).toMatchObject({ kind: 'refund', refundId: 'r1', amountMinor: 60 })
    expect(refundableMinorOf(first.row)).toBe(40)
    const tooMuch = decidePayment(first.row, refund('r2', 41), 0)!
    expect(toldBy(tooMuch)).toEqual([['payment.refunded', 'FAILED']])
    const [told] = tooMuch.emissions
    expect(told?.kind === 'paymentEvent' && told.event.data).toMatchObject({
      reason: 'exceeds-captured',
      refundableMinor: 40,
    })
    expect(decidePayment(tooMuch.row, refund('r3', 40), 0)?.emissions[0]?.kind).toBe('gatewayCall')
  })

  it('is done once', () => {
    const first = decidePayment(captured.row, refund('r1', 100), 0)!
    expect(decidePayment(first.row, refund('r1', 100), 0)).toBeUndefined()
    expect(() => decidePayment(first.row, refund('r1', 99), 0)).toThrow(/COMMAND_ID_REUSED/)
    const done = answer(first.row, requestOf(first), { kind: 'refunded', transactionId: 't' })!
    expect(toldBy(done)).toEqual([['payment.refunded', 'COMPLETED']])
    expect(
      answer(done.row, requestOf(first), { kind: 'refunded', transactionId: 't' }),
    ).toBeUndefined()
  })

  it('that is refused may be asked for again; one of unknown outcome may not', () => {
    const first = decidePayment(captured.row, refund('r1', 100), 0)!
    const refused = answer(first.row, requestOf(first), { kind: 'refused', reason: 'closed' })!
    expect(toldBy(refused)).toEqual([['payment.refunded', 'FAILED']])
    expect(refundableMinorOf(refused.row)).toBe(100)
    const unknown = decideAnswer(
      first.row,
      { kind: 'unknown', request: requestOf(first), error: 'x' },
      0,
    )!
    expect([toldBy(unknown), refundableMinorOf(unknown.row)]).toEqual([[], 0])
  })

  it('needs a payment of that order that has money', () => {
    expect(() => decidePayment(undefined, refund('r1', 1), 0)).toThrow(/PAYMENT_UNKNOWN/)
    expect(() => decidePayment({ ...captured.row, orderId: 'x' }, refund('r1', 1), 0)).toThrow(
      /PAYMENT_UNKNOWN/,
    )
    expect(toldBy(decidePayment(asked.row, refund('r1', 1), 0))).toEqual([
      ['payment.refunded', 'FAILED'],
    ])
    expect(() => decidePayment(captured.row, refund('r1', 0), 0)).toThrow(/BAD_COMMAND/)
  })
})
