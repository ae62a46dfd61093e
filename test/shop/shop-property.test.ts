/**
 * Goal: the shop's invariants hold after every step of every history, and every order ends in
 * exactly one outcome with its money and stock accounted for.
 * Method: `shop-histories.ts` draws what happens. Planted bugs must be found.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkNow, histories, run } from './shop-histories.ts'
import { isFromOutside, type ShopWorld } from './shop-world.ts'

const checkEnd = (world: ShopWorld): void => {
  expect(world.openOrders()).toEqual([])
  checkNow(world, true)
  for (const row of world.orders.values()) {
    const outcomes = world.outcomes.get(row.orderId) ?? []
    expect(outcomes).toEqual([`order.${row.status}`])
    if (row.status !== 'completed') expect(world.keptMinor(row.orderId)).toBe(0)
    else if (row.returnState === undefined) {
      expect(world.keptMinor(row.orderId)).toBe(row.totalMinor - (row.waivedMinor ?? 0))
    } else expect([row.returnState, world.keptMinor(row.orderId)]).toEqual(['done', 0])
  }
  for (const { message, error } of world.deadLetters) {
    expect(isFromOutside(message), `${error.message} ${JSON.stringify(message)}`).toBe(true)
  }
}

describe('the four models under every schedule', () => {
  it('keep the invariants at each step and end each order once', { timeout: 120_000 }, () => {
    const reached = new Map<string, number>()
    fc.assert(
      fc.property(histories, (history) => {
        const world = run(history)
        checkEnd(world)
        for (const { status, reason, returnState } of world.orders.values()) {
          const label = [status, reason, returnState].filter(Boolean).join(' ')
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
    ]
    expect(expected.filter((label) => !reached.has(label))).toEqual([])
  })

  it.each([
    ['an inventory that promises what it does not have', { oversells: true }],
    ['payments that forget their refunds', { refundsTwice: true }],
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
