import { describe, expect, it } from 'vitest'
import {
  emptyProduct,
  type HoldRow,
  type ProductRow,
} from '../../topologies/shop/inventory/stock-row.ts'
import type { OrderRow } from '../../topologies/shop/orders/order-row.ts'
import type { PaymentRow } from '../../topologies/shop/payments/payment-row.ts'
import { checkShop } from '../../topologies/shop/shared/invariants.ts'
import { deliveredOrder as order } from './delivered-order.ts'
import { shopSummary } from '../../topologies/shop/shared/summary.ts'

const product: ProductRow = {
  ...emptyProduct('tea'),
  onHand: 8,
  held: 3,
  addedTotal: 11,
  subtractedTotal: 1,
  deductedTotal: 4,
  returnedTotal: 2,
}
const hold = (state: HoldRow['state'], orderId: string, quantity: number): HoldRow => ({
  holdId: `${orderId}-${state}`,
  productId: 'tea',
  orderId,
  line: 0,
  quantity,
  state,
  version: 1,
  dueMs: 1,
  indexedMs: 1,
})
const payment: PaymentRow = {
  paymentId: 'p',
  orderId: 'o',
  version: 2,
  state: 'captured',
  amountMinor: 20,
  capturedMinor: 20,
  currency: 'EUR',
  method: 'card',
  commandId: 'c',
  correlationId: 'c',
  bodyHash: 'h',
}
const good = {
  orders: [order],
  products: [product],
  payments: [payment],
  holds: [hold('deducted', 'o', 2), hold('held', 'other', 3)],
}
const rulesOf = (change: Partial<typeof good>, isSettled = true): readonly string[] =>
  checkShop({ ...good, ...change, isSettled }).violations.map(({ rule }) => rule)

const ended: OrderRow = {
  ...order,
  status: 'cancelled',
  lines: [{ ...order.lines[0]!, state: 'released' }],
  charges: [{ ...order.charges[0]!, refunds: [{ refundId: 'r', amountMinor: 20, state: 'done' }] }],
}
const returned = { ...product, onHand: 10, returnedTotal: 4 }
const refundedPayment: PaymentRow = {
  ...payment,
  refunds: [{ refundId: 'r', amountMinor: 20, state: 'done', reason: 'x' }],
}

describe('checkShop', () => {
  it('finds nothing in a sound shop', () => {
    expect(checkShop({ ...good, isSettled: true })).toEqual({ checked: 5, violations: [] })
    expect(
      rulesOf({
        orders: [ended],
        products: [returned],
        payments: [refundedPayment],
        holds: [hold('held', 'other', 3)],
      }),
    ).toEqual([])
  })

  it('knows of returns that are on their way, and of no others', () => {
    const [line, charge] = [order.lines[0]!, order.charges[0]!]
    const asked = {
      ...charge,
      refunds: [{ refundId: 'r', amountMinor: 20, state: 'asked' as const }],
    }
    const lines = [{ ...line, state: 'returning' as const }]
    const moving = { ...order, status: 'completed' as const, lines, charges: [asked] }
    expect(rulesOf({ orders: [{ ...moving, returnState: 'started' }] })).toEqual([])
    expect(rulesOf({ orders: [{ ...moving, charges: [charge] }] })).toContain('deducted-for-orders')
    const paidBack = { orders: [{ ...order, charges: [asked] }], payments: [refundedPayment] }
    expect(rulesOf(paidBack)).toEqual([])
    expect(rulesOf({ payments: [refundedPayment] })).toContain('settled-money-agrees')
  })

  it.each<[string, Partial<typeof good>]>([
    ['total', { orders: [{ ...order, totalMinor: 21 }] }],
    ['on-hand-not-negative', { products: [{ ...product, onHand: -1 }] }],
    ['held-within-on-hand', { products: [{ ...product, held: 9 }] }],
    ['stock-conserved', { products: [{ ...product, addedTotal: 12 }] }],
    ['held-is-sum-of-holds', { holds: [hold('held', 'other', 4)] }],
    ['captured-within-authorised', { payments: [{ ...payment, amountMinor: 19 }] }],
    ['only-captured-has-money', { payments: [{ ...payment, state: 'declined' }] }],
    [
      'refunded-within-captured',
      {
        payments: [
          {
            ...refundedPayment,
            refunds: [
              ...refundedPayment.refunds!,
              { refundId: 's', amountMinor: 1, state: 'asked', reason: '' },
            ],
          },
        ],
      },
    ],
    [
      'shipped-within-deducted',
      { orders: [{ ...order, lines: [{ ...order.lines[0]!, state: 'held' }] }] },
    ],
    [
      'completed-delivered',
      { orders: [{ ...order, shipment: { ...order.shipment!, status: 'SHIPPED' } }] },
    ],
    ['paid-before-deducted', { orders: [{ ...order, charges: [] }] }],
    ['open-has-deadline', { orders: [{ ...order, status: 'paying' }] }],
    ['ended-holds-nothing', { orders: [{ ...ended, lines: order.lines }] }],
    ['ended-holds-nothing', { orders: [ended], holds: good.holds }],
    ['ended-refunds-all', { orders: [{ ...ended, charges: order.charges }] }],
    ['ended-keeps-nothing', { orders: [ended] }],
    ['delivered-holds-nothing', { holds: [hold('held', 'o', 3)] }],
    ['order-money-is-captured', { payments: [] }],
    ['order-refunds-are-refunded', { orders: [ended] }],
    ['settled-money-agrees', { payments: [refundedPayment] }],
    ['deducted-for-orders', { orders: [] }],
    ['deducted-for-orders', { products: [returned] }],
  ])('finds a breach of %s', (rule, change) => {
    expect(rulesOf(change)).toContain(rule)
  })

  it('allows for what is on its way, until things have settled', () => {
    const deducting: OrderRow = {
      ...order,
      status: 'deducting',
      deadlineMs: 1,
      lines: [{ ...order.lines[0]!, state: 'deducting' }],
    }
    expect(rulesOf({ orders: [deducting] }, false)).toEqual([])
    expect(rulesOf({ orders: [deducting] })).toEqual(['deducted-for-orders'])
    const unheard: OrderRow = {
      ...order,
      status: 'paying',
      deadlineMs: 1,
      charges: [],
      lines: [{ ...order.lines[0]!, state: 'held' }],
    }
    expect(rulesOf({ orders: [unheard], products: [returned] }, false)).toEqual([])
  })
})

describe('shopSummary', () => {
  it('adds up the counters of all partitions', () => {
    const counters: readonly (readonly [string, number])[] = [
      ['orders', 3],
      ['units', 7],
      ['amount:EUR', 100],
      ['status:completed', 2],
      ['status:paying', 1],
      ['status:reserving', 0],
      ['orders', 1],
      ['units', 1],
      ['amount:JPY', 9],
      ['status:expired', 1],
      ['alarms', 2],
    ]
    expect(shopSummary(counters, { checked: 5, violations: [] })).toEqual({
      orders: 4,
      units: 8,
      amountMinor: { EUR: 100, JPY: 9 },
      outcomes: { completed: 2, rejected: 0, cancelled: 0, expired: 1 },
      openByStatus: { paying: 1, reserving: 0 },
      open: 1,
      alarms: 2,
      duplicates: 0,
      invariants: { checked: 5, violations: [] },
    })
  })
})
