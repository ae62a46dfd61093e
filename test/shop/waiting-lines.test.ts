/**
 * Goal: the queue that is linked through hold rows is the list that it stands for: whoever joins,
 * leaves or is served, in any order, also from the middle.
 * Method: random steps, beside a plain array; after each the links are walked from both ends.
 */

import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  availableOf,
  emptyProduct,
  type HoldRow,
  type ProductRow,
} from '../../topologies/shop/inventory/stock-row.ts'
import { serveWaiting } from '../../topologies/shop/inventory/waiting-lines.ts'
import { shopConfig } from '../../topologies/shop/shared/config.ts'

const { inventory } = shopConfig({ gateway: () => Promise.reject(new Error('not used here')) })
const context = { ...inventory, nowMs: 1_000 }

const holdOf = (holdId: string, quantity: number): HoldRow => ({
  holdId,
  productId: 'p',
  orderId: `o-${holdId}`,
  line: 0,
  quantity,
  state: 'waiting',
  version: 1,
  dueMs: 9_000,
  indexedMs: 9_000,
  heldAtMs: 0,
})

class Queue {
  product: ProductRow = emptyProduct('p')
  readonly holds = new Map<string, HoldRow>()

  apply(product: ProductRow, before?: HoldRow, after?: HoldRow): readonly string[] {
    const read = (holdId: string) => this.holds.get(holdId)
    const input = { before, after, holdOf: read, causationId: 'c' }
    const served = serveWaiting(product, input, context)
    this.product = served.product
    if (after !== undefined) this.holds.set(after.holdId, after)
    for (const hold of served.holds) this.holds.set(hold.holdId, hold)
    const replies = served.emissions.flatMap((each) => (each.kind === 'reply' ? [each.event] : []))
    return replies.map(({ data }) => data.holdId)
  }

  walk(from: 'firstId' | 'lastId', link: 'behindId' | 'aheadId'): readonly string[] {
    const found: string[] = []
    let holdId = this.product.waiting?.[from]
    for (; holdId !== undefined; holdId = this.holds.get(holdId)![link]) found.push(holdId)
    return found
  }
}

const steps = fc.array(
  fc.record({ kind: fc.nat(3), at: fc.nat(20), quantity: fc.integer({ min: 1, max: 4 }) }),
  { maxLength: 60, size: 'max' },
)

it('is the list that it stands for', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const queue = new Queue()
      let list: string[] = []
      all.forEach(({ kind, at, quantity }, index) => {
        const leaving = queue.holds.get(list[at % Math.max(1, list.length)] ?? '')
        let served: readonly string[]
        if (kind < 2) {
          const hold = holdOf(`h${index}`, quantity)
          list.push(hold.holdId)
          served = queue.apply(queue.product, undefined, hold)
        } else if (kind === 2 && leaving !== undefined) {
          const { aheadId: _ahead, behindId: _behind, ...rest } = leaving
          list = list.filter((holdId) => holdId !== leaving.holdId)
          served = queue.apply(queue.product, leaving, { ...rest, state: 'released' })
        } else {
          const { onHand, addedTotal } = queue.product
          const added = { onHand: onHand + quantity, addedTotal: addedTotal + quantity }
          served = queue.apply({ ...queue.product, ...added })
        }
        expect(list.slice(0, served.length)).toEqual(served)
        list = list.slice(served.length)
        expect(queue.walk('firstId', 'behindId')).toEqual(list)
        expect(queue.walk('lastId', 'aheadId')).toEqual(list.toReversed())
        const units = list.reduce((sum, holdId) => sum + queue.holds.get(holdId)!.quantity, 0)
        expect(queue.product.waiting?.units ?? 0).toBe(units)
        const first = queue.holds.get(list[0] ?? '')
        if (first !== undefined) expect(availableOf(queue.product)).toBeLessThan(first.quantity)
      })
    }),
    { numRuns: 150, seed: 20260104 },
  )
})
