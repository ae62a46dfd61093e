/** `/api/payments`: a transfer that comes in, one that is too little, and money paid back. */

import type { Step } from '../step.ts'
import {
  captured,
  keyed,
  notice,
  orderEvent,
  paidOrder,
  shortOrder,
  stockEvent,
  topics,
} from './places.ts'

const process = 'POST /api/payments'
const refund = 'POST /api/payments/{paymentId}/refund'

export const paymentSteps: readonly Step[] = [
  {
    row: process,
    what: 'the transfer: the order is confirmed',
    method: 'POST',
    path: '/api/payments?wait=30000',
    headers: keyed('transfer'),
    body: { orderId: paidOrder, amount: '5.00', currency: 'EUR' },
    status: [200],
    shows: { status: 'captured', captured: '5.00' },
    answerHeaders: { location: /^\/api\/payments\/./ },
    keeps: { transferPayment: 'paymentId' },
    events: [
      { ...captured(paidOrder, 500, 'transfer'), aggregate: '{transferPayment}' },
      stockEvent('stock.deducted', paidOrder),
      orderEvent('order.confirmed', paidOrder),
    ],
  },
  {
    row: process,
    what: 'too little: paid back, cancelled',
    method: 'POST',
    path: '/api/payments?wait=30000',
    headers: keyed('short'),
    body: { orderId: shortOrder, amount: '4.99' },
    status: [200],
    shows: { captured: '4.99' },
    keeps: { shortPayment: 'paymentId' },
    events: [
      { ...captured(shortOrder, 499, 'transfer'), aggregate: '{shortPayment}' },
      {
        topic: topics.payments,
        type: 'payment.refunded',
        aggregate: '{shortPayment}',
        data: { orderId: shortOrder, amountMinor: 499, status: 'COMPLETED' },
      },
      stockEvent('stock.released', shortOrder),
      orderEvent('order.cancelled', shortOrder, { refundRequired: true, refundedMinor: 499 }),
      notice('REFUND_DONE', shortOrder),
    ],
  },
  {
    row: 'GET /api/orders/{id}',
    what: 'cancelled, its money back',
    method: 'GET',
    path: `/api/orders/${shortOrder}`,
    status: [200],
    isEventual: true,
    shows: { status: 'cancelled', reason: 'short-payment', refunded: '4.99' },
  },
  {
    row: refund,
    what: 'a part of it',
    method: 'POST',
    path: '/api/payments/{cardPayment}/refund?wait=30000',
    headers: keyed('refund'),
    body: { amount: '2.00', reason: 'late' },
    status: [200],
    shows: { refunded: '2.00', refundable: '3.00' },
    events: [
      {
        topic: topics.payments,
        type: 'payment.refunded',
        aggregate: '{cardPayment}',
        data: { amountMinor: 200, status: 'COMPLETED', reason: 'late', refundableMinor: 300 },
      },
    ],
  },
  {
    row: refund,
    what: 'more than is left: 409',
    method: 'POST',
    path: '/api/payments/{cardPayment}/refund',
    body: { amount: '3.01' },
    status: [409],
    answerHeaders: { 'content-type': /^application\/problem\+json/ },
  },
  {
    row: 'GET /api/payments/{id}',
    what: 'what is left of it',
    method: 'GET',
    path: '/api/payments/{cardPayment}',
    status: [200],
    shows: { captured: '5.00', refunded: '2.00', method: 'card' },
    answerHeaders: { 'millrace-owner': /./ },
    keeps: { paymentTag: 'header:etag' },
  },
  {
    row: 'GET /api/payments/{id}',
    what: 'If-None-Match: 304',
    method: 'GET',
    path: '/api/payments/{cardPayment}',
    headers: { 'if-none-match': '{paymentTag}' },
    status: [304],
  },
]
