import { describe, expect, it } from 'vitest'
import {
  decideHold,
  decideHoldDue,
  type StockContext,
} from '../../topologies/shop/inventory/model.ts'
import {
  availableOf,
  emptyProduct,
  type HoldRow,
  type HoldState,
  type ProductRow,
} from '../../topologies/shop/inventory/stock-row.ts'
import { decideStockUpdate } from '../../topologies/shop/inventory/update-stock.ts'
import type {
  HoldCommand,
  ReleaseReason,
  UpdateStock,
  UpdateStockData,
} from '../../topologies/shop/shared/commands.ts'
import { stockUnitsMax } from '../../topologies/shop/shared/order-limits.ts'
import { newCommand } from '../../topologies/shop/shared/new-command.ts'

const context: StockContext = {
  nowMs: 1000,
  holdMs: 60_000,
  memoryMs: 86_400_000,
  lowStockThreshold: 2,
  checkEveryMs: 1000,
}
const origin = { commandId: 'c', source: 't', nowMs: 0 }
const data = { productId: 'tea', orderId: 'o', holdId: 'h', line: 0, quantity: 3 }

const reserve: HoldCommand = newCommand('ReserveStock', data, origin)
const deduct: HoldCommand = newCommand('DeductStock', data, origin)
const release = (reason: ReleaseReason): HoldCommand =>
  newCommand('ReleaseStock', { ...data, reason }, origin)

const stocked = (onHand: number): ProductRow => ({
  ...emptyProduct('tea'),
  onHand,
  addedTotal: onHand,
})

interface Shelf {
  product: ProductRow
  hold: HoldRow | undefined
  answers: string[]
}

const play = (onHand: number, commands: readonly HoldCommand[]): Shelf => {
  const shelf: Shelf = { product: stocked(onHand), hold: undefined, answers: [] }
  for (const command of commands) {
    const decision = decideHold(shelf.product, shelf.hold, command, context)
    if (decision === undefined) shelf.answers.push('dropped')
    else {
      shelf.product = decision.product
      shelf.hold = decision.hold
      shelf.answers.push(...decision.emissions.map(({ event }) => event.eventType))
    }
  }
  return shelf
}

const update = (
  product: ProductRow | undefined,
  change: Partial<UpdateStockData>,
  liveHolds: readonly HoldRow[] = [],
) =>
  decideStockUpdate(
    { product, seen: undefined, liveHolds: () => liveHolds },
    newCommand(
      'UpdateStock',
      { productId: 'tea', operation: 'ADD', quantity: 5, reason: 'RESTOCK', ...change },
      origin,
    ),
    context,
  )!

const refusalOf = (...given: Parameters<typeof update>): string | undefined => {
  const { product, brokenHolds, seen } = update(...given)
  if (seen?.refusal !== undefined) expect([product, brokenHolds]).toEqual([undefined, []])
  return seen?.refusal?.code
}

describe('a hold', () => {
  it.each<
    [
      string,
      number,
      readonly HoldCommand[],
      readonly [HoldState, readonly string[], number, number],
    ]
  >([
    ['reserves', 9, [reserve], ['held', ['stock.reserved'], 9, 3]],
    [
      'is refused without stock',
      2,
      [reserve],
      ['refused', ['reservation.failed', 'stock.low'], 2, 0],
    ],
    ['is deducted', 9, [reserve, deduct], ['deducted', ['stock.reserved', 'stock.deducted'], 6, 0]],
    [
      'is released',
      9,
      [reserve, release('closing')],
      ['released', ['stock.reserved', 'stock.released'], 9, 0],
    ],
    [
      'comes back as a compensation',
      9,
      [reserve, deduct, release('compensation')],
      ['returned', ['stock.reserved', 'stock.deducted', 'stock.released'], 9, 0],
    ],
    [
      'comes back as a return',
      9,
      [reserve, deduct, release('return')],
      ['returned', ['stock.reserved', 'stock.deducted', 'stock.released'], 9, 0],
    ],
    [
      'stays deducted for a late release',
      9,
      [reserve, deduct, release('late')],
      ['deducted', ['stock.reserved', 'stock.deducted', 'dropped'], 6, 0],
    ],
    [
      'refuses a reservation that was overtaken',
      9,
      [release('closing'), reserve],
      ['released', ['stock.released', 'reservation.failed'], 9, 0],
    ],
    [
      'refuses a deduction after its release',
      9,
      [reserve, release('closing'), deduct],
      ['released', ['stock.reserved', 'stock.released', 'deduct.failed'], 9, 0],
    ],
    [
      'answers repetitions as before',
      9,
      [reserve, reserve, deduct, deduct, release('return'), release('return')],
      [
        'returned',
        [
          'stock.reserved',
          'stock.reserved',
          'stock.deducted',
          'stock.deducted',
          'stock.released',
          'stock.released',
        ],
        9,
        0,
      ],
    ],
    [
      'drops a reservation that is history',
      9,
      [reserve, deduct, reserve],
      ['deducted', ['stock.reserved', 'stock.deducted', 'dropped'], 6, 0],
    ],
    [
      'keeps its refusal when stock has come',
      2,
      [reserve, deduct],
      ['refused', ['reservation.failed', 'stock.low', 'deduct.failed'], 2, 0],
    ],
  ])('%s', (_what, onHand, commands, expected) => {
    const { hold, answers, product } = play(onHand, commands)
    expect([hold?.state, answers, product.onHand, product.held]).toEqual(expected)
  })

  it('repeats an answer with the same event id and version, and says that it does', () => {
    const first = decideHold(stocked(9), undefined, reserve, context)!
    const again = decideHold({ ...first.product, version: 50 }, first.hold, reserve, context)!
    const { event } = first.emissions[0]!
    expect(first.emissions).toEqual([{ kind: 'reply', event }])
    expect(again.emissions).toEqual([{ kind: 'reply', event, isRepeat: true }])
  })

  it('that expired is held and deducted again while there is stock, else fails for good', () => {
    const { product, hold } = play(5, [reserve])
    const expired = decideHoldDue({ product, hold: hold! }, hold!.dueMs, {
      ...context,
      nowMs: hold!.dueMs,
    })
    expect(expired.emissions[0]?.event.eventType).toBe('hold.expired')
    expect([expired.hold?.state, expired.product.held]).toEqual(['expired', 0])
    const deducted = decideHold(expired.product, expired.hold, deduct, context)!
    expect([deducted.hold?.state, deducted.product.onHand]).toEqual(['deducted', 2])
    const sold = { ...expired.product, onHand: 2 }
    const failed = decideHold(sold, expired.hold, deduct, context)!
    expect(failed.emissions[0]?.event.eventType).toBe('deduct.failed')
    const later = decideHold({ ...sold, onHand: 99 }, failed.hold, deduct, context)!
    expect([later.emissions[0]?.event.eventType, later.product.onHand]).toEqual([
      'deduct.failed',
      99,
    ])
  })

  it('does not expire before everything up to its time was seen', () => {
    const { product, hold } = play(9, [reserve])
    const decision = decideHoldDue({ product, hold: hold! }, hold!.dueMs - 1, {
      ...context,
      nowMs: hold!.dueMs + 99,
    })
    expect([decision.hold?.state, decision.emissions]).toEqual(['held', []])
  })

  it('is forgotten a day after it was closed', () => {
    const { product, hold } = play(9, [reserve, deduct])
    const { dueMs, indexedMs } = hold!
    expect([indexedMs, dueMs]).toEqual([61_000, 86_401_000])
    const early = decideHoldDue({ product, hold: hold! }, indexedMs, {
      ...context,
      nowMs: indexedMs,
    })
    expect(early.hold).toEqual({ ...hold, indexedMs: dueMs })
    expect(
      decideHoldDue({ product, hold: hold! }, dueMs, { ...context, nowMs: dueMs }).hold,
    ).toBeUndefined()
  })

  it('is refused under the id of another one', () => {
    const { product, hold } = play(9, [reserve])
    const other: HoldCommand = newCommand('DeductStock', { ...data, quantity: 4 }, origin)
    expect(() => decideHold(product, hold, other, context)).toThrow(/COMMAND_ID_REUSED/)
    const none: HoldCommand = newCommand('ReserveStock', { ...data, quantity: 0 }, origin)
    expect(() => decideHold(product, undefined, none, context)).toThrow(/BAD_COMMAND/)
  })

  it('leaves the safety stock alone', () => {
    const safe = { ...stocked(9), safetyStock: 7 }
    expect(availableOf(safe)).toBe(2)
    expect(decideHold(safe, undefined, reserve, context)?.hold?.state).toBe('refused')
  })
})

describe('low stock', () => {
  it('is told once, until an addition lifts it', () => {
    const low = decideHold(stocked(5), undefined, reserve, context)!
    expect(low.emissions.map(({ event }) => event.eventType)).toEqual([
      'stock.reserved',
      'stock.low',
    ])
    const more = newCommand('ReserveStock', { ...data, holdId: 'h2', quantity: 1 }, origin)
    expect(decideHold(low.product, undefined, more, context)?.emissions).toHaveLength(1)
    const lifted = update(low.product, { quantity: 5 })
    expect(lifted.product?.isLow).toBe(false)
  })

  it('is told once when stock is taken out of the books too', () => {
    const taken = { operation: 'SUBTRACT', quantity: 3, reason: 'ADJUSTMENT' } as const
    const low = update(stocked(5), taken)
    const typesOf = (decision: typeof low): readonly string[] =>
      decision.emissions.map(({ event }) => event.eventType)
    expect(typesOf(low)).toEqual(['inventory.updated', 'stock.low'])
    expect(low.product?.isLow).toBe(true)
    expect(typesOf(update(low.product!, { ...taken, quantity: 1 }))).toEqual(['inventory.updated'])
  })
})

describe('UpdateStock', () => {
  it('adds and subtracts, and says so', () => {
    const added = update(stocked(1), { quantity: 4, safetyStock: 2 })
    expect(added.product).toMatchObject({ onHand: 5, addedTotal: 5, safetyStock: 2 })
    const less = update(added.product!, {
      operation: 'SUBTRACT',
      quantity: 5,
      reason: 'ADJUSTMENT',
    })
    expect(less.product).toMatchObject({ onHand: 0, subtractedTotal: 5 })
    expect(less.emissions[0]?.event.data).toMatchObject({ quantityChange: -5, onHand: 0 })
  })

  it('is done once per id', () => {
    const command: UpdateStock = newCommand(
      'UpdateStock',
      {
        productId: 'tea',
        operation: 'ADD',
        quantity: 5,
        reason: 'RESTOCK',
      },
      origin,
    )
    const none = { product: undefined, seen: undefined, liveHolds: () => [] }
    const { seen, product } = decideStockUpdate(none, command, context)!
    expect(decideStockUpdate({ ...none, seen, product }, command, context)).toBeUndefined()
    const other = { ...command, data: { ...command.data, quantity: 6 } }
    const refused = decideStockUpdate({ ...none, seen, product }, other, context)!
    expect(refused).toMatchObject({
      product: undefined,
      seen: undefined,
      emissions: [
        {
          kind: 'notice',
          event: {
            eventType: 'inventory.update-refused',
            data: { code: 'COMMAND_ID_REUSED', onHand: 5 },
          },
        },
      ],
    })
    const third = { ...command, data: { ...command.data, quantity: 7 } }
    const again = decideStockUpdate({ ...none, seen, product }, third, context)!
    expect(again.emissions[0]!.event.eventId).not.toBe(refused.emissions[0]!.event.eventId)
  })

  it('stays refused under its id, also when it would pass by then', () => {
    const take: UpdateStock = newCommand(
      'UpdateStock',
      { productId: 'tea', operation: 'SUBTRACT', quantity: 5, reason: 'ADJUSTMENT' },
      origin,
    )
    const before = { product: undefined, seen: undefined, liveHolds: () => [] }
    const { product, seen, emissions } = decideStockUpdate(before, take, context)!
    expect(product).toBeUndefined()
    expect(seen).toMatchObject({ version: 0, refusal: { code: 'STOCK_BELOW_ZERO' } })
    expect(emissions).toHaveLength(1)
    const later = { ...before, seen, product: stocked(9) }
    expect(decideStockUpdate(later, take, context)).toBeUndefined()
  })

  it('is refused if it was meant for another version, or for what is not there', () => {
    const { version } = stocked(5)
    expect(refusalOf(stocked(5), { quantity: 1, ifVersion: version })).toBeUndefined()
    expect(refusalOf(stocked(5), { quantity: 1, ifVersion: version + 1 })).toBe('VERSION_CHANGED')
    expect(refusalOf(undefined, { quantity: 1, ifVersion: 0 })).toBe('VERSION_CHANGED')
  })

  it('counts no more than the shop can add up', () => {
    const full = { ...stocked(stockUnitsMax - 1) }
    expect(refusalOf(full, { quantity: 1 })).toBeUndefined()
    expect(refusalOf(full, { quantity: 2 })).toBe('STOCK_TOO_LARGE')
    const busy = { ...stocked(5), addedTotal: Number.MAX_SAFE_INTEGER - 1 }
    expect(refusalOf(busy, { quantity: 1 })).toBeUndefined()
    expect(refusalOf(busy, { quantity: 2 })).toBe('STOCK_TOO_LARGE')
  })

  it('takes nothing that is held, unless forced, and then breaks the newest holds', () => {
    const holds = [1, 2, 3].map((version): HoldRow => ({
      ...data,
      holdId: `h${version}`,
      quantity: 2,
      state: 'held',
      version,
      dueMs: 9000,
      indexedMs: 9000,
    }))
    const product = { ...stocked(7), held: 6 }
    const take = { operation: 'SUBTRACT', quantity: 4, reason: 'ADJUSTMENT' } as const
    expect(refusalOf(product, take, holds)).toBe('STOCK_BELOW_HELD')
    expect(refusalOf(product, { ...take, quantity: 8, force: true }, holds)).toBe(
      'STOCK_BELOW_ZERO',
    )
    const forced = update(product, { ...take, force: true }, holds)
    expect(forced.brokenHolds.map(({ holdId, state }) => [holdId, state])).toEqual([
      ['h3', 'expired'],
      ['h2', 'expired'],
    ])
    expect(forced.product).toMatchObject({ onHand: 3, held: 2 })
    expect(forced.emissions.map(({ event }) => event.eventType)).toEqual([
      'hold.expired',
      'hold.expired',
      'inventory.updated',
      'stock.low',
    ])
    expect(forced.emissions[0]?.event.data).toMatchObject({ reason: 'broken', holdId: 'h3' })
  })

  it.each([
    [{ quantity: -1 }, /quantity/],
    [{ quantity: 0.5 }, /quantity/],
    [{ quantity: stockUnitsMax + 1 }, /quantity/],
    [{ operation: 'SET' }, /operation/],
    [{ reason: 'GIFT' }, /reason/],
    [{ safetyStock: -1 }, /safetyStock/],
  ])('refuses %j', (change, message) => {
    expect(() => update(stocked(1), change as Partial<UpdateStockData>)).toThrow(message)
  })
})
