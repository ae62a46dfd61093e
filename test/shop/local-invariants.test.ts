/**
 * Goal: the running shop tells what breaks an invariant, as it is decided, and nothing else.
 * Method: rows broken by hand, one rule each; a whole shop under the driver, with an honest
 * provider and with one that takes more than it was asked for.
 */

import { describe, expect, it } from 'vitest'
import { InvariantAlarms } from '../../src/cli/invariant-alarms.ts'
import { silentLogger } from '../../src/logger.ts'
import { emptyProduct, type HoldRow } from '../../topologies/shop/inventory/stock-row.ts'
import type { OrderRow } from '../../topologies/shop/orders/order-row.ts'
import type { PaymentRow } from '../../topologies/shop/payments/payment-row.ts'
import { tellOrder, tellPayment, tellStock } from '../../topologies/shop/shared/local-invariants.ts'
import { localInvariants, type Violation } from '../../topologies/shop/shared/violation.ts'
import { deliveredOrder as order } from './delivered-order.ts'
import { ShopStory } from './shop-story.ts'

const confirmed: OrderRow = { ...order, status: 'confirmed', deadlineMs: 5 }
const product = { ...emptyProduct('tea'), onHand: 8, held: 3, addedTotal: 8 }
const hold: HoldRow = {
  holdId: 'h',
  productId: 'tea',
  orderId: 'o',
  line: 0,
  quantity: 2,
  state: 'held',
  version: 1,
  dueMs: 1,
  indexedMs: 1,
}
const released: HoldRow = { ...hold, state: 'released' }
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

const rulesOf = (act: (tell: (violation: Violation) => void) => void): readonly string[] => {
  const rules: string[] = []
  act(({ rule }) => rules.push(rule))
  return rules
}

describe('a change', () => {
  it('that keeps every rule is not told', () => {
    expect(rulesOf((tell) => tellOrder(tell, confirmed, order))).toEqual([])
    expect(rulesOf((tell) => tellPayment(tell, payment))).toEqual([])
    const after = { ...product, held: 1 }
    const holds = [{ before: hold, after: released }]
    expect(rulesOf((tell) => tellStock(tell, { before: product, after, holds }))).toEqual([])
  })

  it.each<[string, OrderRow, OrderRow]>([
    ['ends-once', { ...order, status: 'cancelled' }, order],
    [
      'completed-delivered',
      confirmed,
      { ...order, shipment: { ...order.shipment!, status: 'SHIPPED' } },
    ],
    ['paid-before-deducted', confirmed, { ...order, charges: [] }],
    ['open-has-deadline', order, { ...order, status: 'confirmed' }],
  ])('of an order that breaks %s is told', (rule, before, after) => {
    expect(rulesOf((tell) => tellOrder(tell, before, after))).toContain(rule)
  })

  it('of a mark or a note is not looked at', () => {
    const wrong = { ...order, totalMinor: 21 }
    expect(rulesOf((tell) => tellOrder(tell, wrong, { ...wrong, notes: 'x' }))).toEqual([])
    expect(rulesOf((tell) => tellOrder(tell, confirmed, wrong))).toContain('total')
  })

  it.each<[string, Partial<typeof product>, HoldRow | undefined, HoldRow | undefined]>([
    ['on-hand-not-negative', { onHand: -1 }, undefined, undefined],
    ['held-within-on-hand', { held: 9 }, undefined, undefined],
    ['stock-conserved', { addedTotal: 9 }, undefined, undefined],
    ['held-is-sum-of-holds', { held: 2 }, hold, released],
    ['held-is-sum-of-holds', { version: 1 }, undefined, hold],
    ['hold-ends-once', { held: 5 }, released, hold],
  ])('of stock that breaks %s is told', (rule, change, before, after) => {
    const step = { before: product, after: { ...product, ...change }, holds: [{ before, after }] }
    expect(rulesOf((tell) => tellStock(tell, step))).toContain(rule)
  })

  it.each<[string, Partial<PaymentRow>]>([
    ['captured-within-authorised', { capturedMinor: 21 }],
    ['only-captured-has-money', { state: 'declined' }],
    [
      'refunded-within-captured',
      {
        refunds: ['r-1', 'r-2'].map((refundId) => ({
          refundId,
          amountMinor: 20,
          state: 'done',
          reason: 'x',
        })),
      },
    ],
  ])('of a payment that breaks %s is told', (rule, change) => {
    expect(rulesOf((tell) => tellPayment(tell, { ...payment, ...change }))).toEqual([rule])
  })
})

describe('a running shop', () => {
  const storyWith = (takesMore: boolean) => {
    const told: Violation[] = []
    const story = new ShopStory({
      settings: { onViolation: (violation) => told.push(violation) },
      provider: async (request) => {
        if (request.kind === 'refund') return { kind: 'refunded', transactionId: 'r' }
        const capturedMinor = request.amountMinor + (takesMore ? 1 : 0)
        return { kind: 'captured', capturedMinor, transactionId: 't' }
      },
    })
    return { story, told }
  }

  it('tells nothing while all is as it should be', async () => {
    const { story, told } = storyWith(false)
    story.stock('tea', 3)
    for (const n of [1, 2, 3, 4]) story.order(`o-${n}`, { tea: 1 }) // the last finds nothing
    await story.pass()
    expect(story.row('o-4').status).toBe('rejected')
    expect(told).toEqual([])
  })

  it('tells a provider that takes more than it was asked for', async () => {
    const { story, told } = storyWith(true)
    story.stock('tea', 3)
    story.order('o-1', { tea: 1 })
    await story.pass()
    expect(told.map(({ rule, detail }) => [rule, detail])).toContainEqual([
      'captured-within-authorised',
      '1251 of 1250 captured',
    ])
  })
})

describe('the alarms of an instance', () => {
  it('count each invariant from 0', () => {
    const alarms = new InvariantAlarms(silentLogger)
    const counts = async (): Promise<ReadonlyMap<string, number>> =>
      new Map(
        (await alarms.figure.values()).map(({ labels, value }) => [labels['invariant']!, value]),
      )
    alarms.tell({ rule: 'total', subject: 'o', detail: 'd' })
    alarms.tell({ rule: 'total', subject: 'o', detail: 'd' })
    return counts().then((known) => {
      expect([...known.keys()]).toEqual([...localInvariants])
      expect([known.get('total'), known.get('ends-once')]).toEqual([2, 0])
    })
  })
})
