/** What the routes of payments say of themselves. */

import { Type } from 'typebox'
import type { RouteDoc } from '../../../../src/index.ts'
import type { PaymentRefund } from '../../payments/payment-row.ts'
import { currencies } from '../../shared/money.ts'
import { reasonLengthMax } from '../../shared/payment-request.ts'
import { problemKinds } from '../problem-kinds.ts'
import { chargeStates, paymentMethods } from './order-schemas.ts'
import {
  amount,
  etagHeader,
  exactly,
  id,
  ifMatchOneHeader,
  ifNoneMatchHeader,
  keyHeader,
  keysOf,
  locationHeader,
  money,
  oneOf,
  replayedHeader,
  rowAnswers,
  sourceHeaders,
} from './shared-schemas.ts'

const tag = 'payments'
const params = { paymentId: id() }
const {
  noSuchOrder,
  noSuchPayment,
  notPayable,
  nothingCaptured,
  refundTooHigh,
  keyInFlight,
  keyReused,
  versionPassed,
  wrongCurrency,
} = problemKinds

const refundStates = keysOf<PaymentRefund['state']>({
  asked: true,
  unknown: true,
  done: true,
  failed: true,
})

const payment = exactly(
  {
    paymentId: id(),
    orderId: id(),
    version: Type.Integer({ minimum: 1 }),
    status: oneOf(chargeStates),
    reason: Type.Optional(Type.String({ description: 'Why it was declined.' })),
    method: oneOf(paymentMethods),
    currency: Type.String(),
    amount: money,
    captured: money,
    refunded: money,
    refundable: money,
    transactionId: Type.Optional(Type.String()),
    refunds: Type.Array(
      exactly({
        refundId: id(),
        amount: money,
        status: oneOf(refundStates),
        reason: Type.String(),
      }),
    ),
  },
  'Payment',
)

const known = {
  body: payment,
  headers: { ...etagHeader, ...locationHeader, ...replayedHeader, ...sourceHeaders },
}
const acceptedHeaders = { ...locationHeader, ...replayedHeader }
const accepted = Type.Literal('accepted')

export const payDoc: RouteDoc = {
  tag,
  summary: "Record a customer's transfer.",
  description: 'For orders that wait for one: a card is charged by its order itself.',
  headers: keyHeader,
  body: exactly(
    {
      orderId: id(),
      amount: Type.Optional(amount('What came in; all that is left to pay if absent.')),
      currency: Type.Optional(oneOf([...currencies], "The order's, if it is given.")),
    },
    'PaymentRequest',
  ),
  answers: {
    200: { description: 'Captured or declined within the time that was waited.', ...known },
    202: {
      description: 'Durable; the stream decides.',
      body: exactly({ paymentId: id(), orderId: id(), status: accepted }),
      headers: acceptedHeaders,
    },
  },
  problems: [noSuchOrder, notPayable, keyInFlight, wrongCurrency, keyReused],
}

export const getPaymentDoc: RouteDoc = {
  tag,
  summary: 'Look at a payment and its refunds.',
  params,
  headers: ifNoneMatchHeader,
  answers: rowAnswers(payment),
  problems: [noSuchPayment],
}

export const refundDoc: RouteDoc = {
  tag,
  summary: 'Pay back a part of a payment, or all that is left of it.',
  description: 'Refunds that are done or under way count against what was captured.',
  params,
  headers: { ...keyHeader, ...ifMatchOneHeader },
  body: exactly(
    {
      amount: Type.Optional(amount('All that is left if absent.')),
      reason: Type.Optional(
        Type.String({ minLength: 1, maxLength: reasonLengthMax, description: 'Default customer.' }),
      ),
    },
    'RefundRequest',
  ),
  isBodyOptional: true,
  answers: {
    200: { description: 'The refund is done, or failed at the provider.', ...known },
    202: {
      description: 'Durable, and not known within the time that was waited.',
      body: exactly({ refundId: id(), paymentId: id(), status: accepted }),
      headers: acceptedHeaders,
    },
  },
  problems: [noSuchPayment, nothingCaptured, refundTooHigh, keyInFlight, versionPassed, keyReused],
  problemHeaders: {
    [refundTooHigh.status]: replayedHeader,
    [versionPassed.status]: replayedHeader,
  },
}
