/**
 * Goal: the shop's invariants hold after every step of every history, and every order ends in
 * exactly one outcome with its money and stock accounted for.
 * Method: `shop-histories.ts` draws what happens. Planted bugs must be found.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCancelledLine, type OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { expectEnds } from './expect-ends.ts'
import { checkNow, histories, run } from './shop-histories.ts'
import { parcelsOf } from '../../topologies/shop/orders/parcels.ts'
import { isFromOutside, type ShopWorld } from './shop-world.ts'

const checkEnd = (world: ShopWorld): void => {
  expect(world.openOrders()).toEqual([])
  checkNow(world, true)
  expectEnds(world)
  for (const { message, error } of world.deadLetters) {
    expect(isFromOutside(message), `${error.message} ${JSON.stringify(message)}`).toBe(true)
  }
}

/** Delivered without some of its lines. */
const isCut = ({ status, lines }: OrderRow): boolean =>
  status === 'completed' && lines.some(isCancelledLine)

describe('the four models under every schedule', () => {
  it('keep the invariants at each step and end each order once', { timeout: 120_000 }, () => {
    const reached = new Map<string, number>()
    fc.assert(
      fc.property(histories, (history) => {
        const world = run(history)
        checkEnd(world)
        for (const row of world.orders.values()) {
          const { status, reason, returnState } = row
          const parts = [parcelsOf(row) > 0 && 'in parts', isCut(row) && 'cut']
          const label = [status, reason, returnState, ...parts].filter(Boolean).join(' ')
          reached.set(label, (reached.get(label) ?? 0) + 1)
        }
      }),
      { numRuns: 1500, seed: 20260101 },
    )
    if (process.env['SHOP_REACHED']) console.log(reached)
    const expected = [
      'completed',
      'completed done',
      'rejected out-of-stock',
      'cancelled payment-declined',
      'cancelled short-payment',
      'cancelled changed my mind',
      'expired payment-deadline',
      'cancelled stock-lost',
      'cancelled stock-withdrawn',
      'completed in parts',
      'completed in parts cut',
      'completed cut',
      'completed done in parts',
      'completed done in parts cut',
      'cancelled backorder-expired',
    ]
    expect(expected.filter((label) => !reached.has(label))).toEqual([])
  })

  it.each([
    ['an inventory that promises what it does not have', { oversells: true }],
    ['payments that forget their refunds', { refundsTwice: true }],
    ['a backorder that is filled twice', { fillsTwice: true }],
    ['an order that overtakes those who wait', { overtakes: true }],
    ['a line that waits for an order that ended', { forgetsToRelease: true }],
    ['a refund of what was shipped', { refundsShipped: true }],
  ])('notice %s', (_what, sabotage) => {
    const result = fc.check(
      fc.property(histories, (history) => {
        checkEnd(run(history, { sabotage }))
      }),
      { numRuns: 300, seed: 7 },
    )
    expect(result.failed).toBe(true)
  })
})
