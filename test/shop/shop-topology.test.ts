import { describe, expect, it } from 'vitest'
import { minutes, seconds } from '../../src/index.ts'
import { productStore, stockCommands } from '../../topologies/shop/inventory/stores.ts'
import { musicCatalogue } from '../../topologies/shop/load/catalogue.ts'
import { orderGenerator } from '../../topologies/shop/load/order-generator.ts'
import {
  cancelOrderCommand,
  processPaymentCommand,
} from '../../topologies/shop/shared/customer-commands.ts'
import { parseOrderRequest } from '../../topologies/shop/shared/order-request.ts'
import { updateStockCommand } from '../../topologies/shop/shared/stock-request.ts'
import {
  inventory,
  inventoryCommands,
  orderCommands,
  paymentCommands,
} from '../../topologies/shop/shared/topics.ts'
import { ShopStory } from './shop-story.ts'

const origin = (story: ShopStory, commandId: string) => ({
  commandId,
  source: 'test',
  nowMs: story.nowMs,
})

describe('an order', () => {
  it('is reserved, paid, deducted, shipped and completed', async () => {
    const story = new ShopStory()
    story.stock('tea', 10)
    story.stock('pot', 1)
    story.order('o-1', { tea: 2, pot: 1 })
    await story.pass()
    expect(story.eventTypes()).toEqual({
      orders: ['order.created', 'order.confirmed', 'order.completed'],
      payments: ['payment.processed'],
      inventory: [
        'inventory.updated',
        'inventory.updated',
        'stock.reserved',
        'stock.low',
        'stock.reserved',
        'stock.low',
        'stock.deducted',
        'stock.deducted',
      ],
      shipments: ['shipment.created', 'shipment.status-updated', 'shipment.status-updated'],
    })
    expect(story.row('o-1')).toMatchObject({ status: 'completed', totalMinor: 3750 })
    expect(story.summary()).toMatchObject({
      orders: 1,
      units: 3,
      amountMinor: { EUR: 3750 },
      open: 0,
      outcomes: { completed: 1, rejected: 0, cancelled: 0, expired: 0 },
      invariants: { violations: [] },
    })
    expect(story.driver.deadLetters()).toEqual([])
  })

  it('is rejected when a line is out of stock, and what was held is given back', async () => {
    const story = new ShopStory()
    story.stock('tea', 10)
    story.order('o-1', { tea: 2, pot: 1 })
    await story.pass()
    expect(story.row('o-1')).toMatchObject({ status: 'rejected', reason: 'out-of-stock' })
    expect(story.eventTypes().inventory.at(-1)).toBe('stock.released')
    expect(story.summary().invariants.violations).toEqual([])
  })

  it.each([
    ['declined', { declineRate: 1 }, 'payment-declined', 0],
    ['captured short', { shortRate: 1 }, 'short-payment', 625],
  ])('is cancelled when its charge is %s', async (_what, gateway, reason, refundedMinor) => {
    const story = new ShopStory({ gateway })
    story.stock('tea', 10)
    story.order('o-1', { tea: 1 })
    await story.pass()
    expect(story.row('o-1')).toMatchObject({ status: 'cancelled', reason })
    const refunds = story.row('o-1').charges.flatMap((charge) => charge.refunds ?? [])
    expect(refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0)).toBe(refundedMinor)
    expect(story.summary().invariants.violations).toEqual([])
  })

  it('survives a lost answer of the gateway', async () => {
    const story = new ShopStory({ gateway: { timeoutRate: 1 } })
    story.stock('tea', 10)
    story.order('o-1', { tea: 1 })
    await story.pass()
    expect(story.row('o-1').status).toBe('completed')
    expect(story.eventTypes().payments).toEqual(['payment.processed'])
  })

  it('waits in review while its charge is of unknown outcome, also when cancelled', async () => {
    const story = new ShopStory({ gateway: { unknownRate: 1, unknownAttempts: 7 } })
    story.stock('tea', 10)
    story.order('o-1', { tea: 1 })
    await story.pass(seconds(12))
    expect(story.row('o-1').status).toBe('review')
    story.driver.pipe(
      orderCommands,
      'o-1',
      cancelOrderCommand('o-1', { reason: 'late' }, origin(story, 'c1')),
    )
    await story.pass(seconds(20))
    expect(story.row('o-1').status).toBe('review')
    await story.pass(minutes(3))
    await story.pass(minutes(3))
    await story.pass(minutes(3))
    expect(story.row('o-1')).toMatchObject({ status: 'cancelled', reason: 'late' })
    expect(story.eventTypes().payments).toEqual([
      'payment.unknown',
      'payment.processed',
      'payment.refunded',
    ])
    expect(story.summary().invariants.violations).toEqual([])
  })

  it('expires when its transfer does not come in time', async () => {
    const story = new ShopStory()
    story.stock('tea', 10)
    story.order('o-1', { tea: 1 }, 'transfer')
    await story.pass(minutes(14))
    expect(story.row('o-1').status).toBe('paying')
    await story.pass(minutes(2))
    expect(story.row('o-1')).toMatchObject({ status: 'expired', reason: 'payment-deadline' })
    expect(story.summary().invariants.violations).toEqual([])
  })

  it('is completed by its transfer, and refunded one that comes after its end', async () => {
    const story = new ShopStory()
    story.stock('tea', 10)
    for (const orderId of ['paid', 'late']) story.order(orderId, { tea: 1 }, 'transfer')
    const pay = (orderId: string): void =>
      story.driver.pipe(
        paymentCommands,
        orderId,
        processPaymentCommand(
          {
            paymentId: `p-${orderId}`,
            orderId,
            customerId: 'ann',
            amountMinor: 1250,
            currency: 'EUR',
            method: 'transfer',
          },
          origin(story, `pay-${orderId}`),
        ),
      )
    await story.pass()
    pay('paid')
    await story.pass(minutes(16))
    pay('late')
    await story.pass()
    expect(story.row('paid').status).toBe('completed')
    expect(story.row('late')).toMatchObject({ status: 'expired' })
    expect(story.row('late').charges[0]?.refunds).toMatchObject([
      { amountMinor: 1250, state: 'done' },
    ])
    expect(story.summary().invariants.violations).toEqual([])
  })

  it('goes on after a restart at any point', async () => {
    const story = new ShopStory({
      settings: { carrier: { shipAfterMs: 500, deliverAfterMs: 500 } },
    })
    story.stock('tea', 10)
    story.driver.restart()
    story.order('o-1', { tea: 1 })
    story.driver.restart()
    await story.pass(400)
    story.driver.restart()
    expect(story.row('o-1').status).toBe('confirmed')
    await story.pass(2000)
    story.driver.restart()
    expect(story.row('o-1').status).toBe('completed')
    expect(story.eventTypes().payments).toEqual(['payment.processed'])
  })
})

describe('what the shop refuses becomes a dead letter', () => {
  it.each([
    ['bytes that are no JSON', 'o-1', '{', /JSON/],
    [
      'an unknown type',
      'o-1',
      JSON.stringify({
        commandId: 'c',
        commandType: 'Dance',
        commandVersion: '1.0.0',
        data: {},
        metadata: { correlationId: 'c' },
      }),
      /unknown commandType/,
    ],
    [
      'an unknown major version',
      'o-1',
      JSON.stringify({
        commandId: 'c',
        commandType: 'CreateOrder',
        commandVersion: '2.0.0',
        data: {},
        metadata: { correlationId: 'c' },
      }),
      /commandVersion/,
    ],
    [
      'a command for an order never created',
      'o-1',
      JSON.stringify(
        cancelOrderCommand('o-1', { reason: 'why not' }, { commandId: 'c', source: 't', nowMs: 0 }),
      ),
      /ORDER_UNKNOWN/,
    ],
    [
      'another key than its order id',
      'o-2',
      JSON.stringify(
        cancelOrderCommand('o-1', { reason: 'why not' }, { commandId: 'c', source: 't', nowMs: 0 }),
      ),
      /is not its orderId/,
    ],
  ])('%s', (_what, key, text, reason) => {
    const story = new ShopStory()
    story.driver.pipeBytes(orderCommands, Buffer.from(key), Buffer.from(text))
    const [letter, ...more] = story.driver.deadLetters()
    expect(more).toEqual([])
    expect(Buffer.from(letter!.value!).toString()).toBe(text)
    expect(letter!.headers['__streams.errors.message']).toMatch(reason)
  })
})

describe('what a sender may try', () => {
  it('another order under an id in use is refused by an event, not the same again', async () => {
    const story = new ShopStory()
    story.stock('tea', 10)
    story.order('o-1', { tea: 1 })
    story.order('o-1', { tea: 1 })
    expect(story.driver.deadLetters()).toEqual([])
    story.order('o-1', { tea: 2 })
    story.driver.restart()
    story.order('o-1', { tea: 2 })
    await story.pass()
    expect(story.driver.deadLetters()).toEqual([])
    expect(story.eventTypes().orders).toEqual([
      'order.created',
      'order.create-refused',
      'order.confirmed',
      'order.completed',
    ])
    expect(story.summary()).toMatchObject({ orders: 1, units: 1, duplicates: 2 })
    expect(story.summary().invariants.violations).toEqual([])
  })

  it('too much stock taken is refused by an event and a row, over a restart too', () => {
    const story = new ShopStory()
    const take = (commandId: string, quantity: number): void => {
      const request = { operation: 'SUBTRACT', quantity, reason: 'ADJUSTMENT' } as const
      const command = updateStockCommand('tea', request, origin(story, commandId))
      story.driver.pipe(inventoryCommands, 'tea', command)
    }
    take('c-0', 1)
    story.stock('tea', 10)
    take('c-1', 11)
    story.driver.restart()
    take('c-1', 11)
    take('c-1', 12)
    expect(story.driver.deadLetters()).toEqual([])
    expect(story.driver.query(stockCommands).get('c-0')).toMatchObject({
      version: 0,
      refusal: { code: 'STOCK_BELOW_ZERO' },
    })
    expect(story.driver.query(stockCommands).get('c-1')).toMatchObject({
      version: 1,
      refusal: { code: 'STOCK_BELOW_ZERO', reason: '11 of tea, of which 10 are on hand' },
    })
    const refused = story.driver
      .values(inventory)
      .filter(({ eventType }) => eventType === 'inventory.update-refused')
    expect(refused.map(({ data }) => (data as { code?: string }).code)).toEqual([
      'STOCK_BELOW_ZERO',
      'STOCK_BELOW_ZERO',
      'COMMAND_ID_REUSED',
    ])
    expect(story.driver.query(productStore).get('tea')).toMatchObject({ onHand: 10, version: 1 })
    expect(story.summary().invariants.violations).toEqual([])
  })
})

describe('a day of orders', () => {
  const day = async (orders: number, rebuildBeforeEachRecord: boolean) => {
    const story = new ShopStory({
      partitions: 3,
      rebuildBeforeEachRecord,
      gateway: { declineRate: 0.1, shortRate: 0.1, timeoutRate: 0.1, unknownRate: 0.05 },
      settings: {
        gatewayCalls: { backoffMs: 1, backoffMaxMs: 100 },
        carrier: { checkEveryMs: 1_000 }, // each check rebuilds all pipelines
      },
    })
    for (const { productId, initialStock } of musicCatalogue.products) {
      if (initialStock > 0) story.stock(productId, 30)
    }
    const next = orderGenerator(7, musicCatalogue, { outOfStockRate: 0.1, transferRate: 0.1 })
    for (let index = 0; index < orders; index++) {
      const parsed = parseOrderRequest(next.next())
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
      story.place(`order-${index}`, parsed.value)
    }
    await story.pass(seconds(10))
    const before = story.summary(false)
    await story.pass(minutes(20))
    return { story, before, after: story.summary() }
  }

  it('ends every order once, with all invariants held', { timeout: 60_000 }, async () => {
    const { story, before, after } = await day(150, false)
    expect(before.invariants.violations).toEqual([])
    expect(before.open).toBeGreaterThan(0)
    expect(after.invariants.violations).toEqual([])
    expect(after).toMatchObject({ orders: 150, open: 0 })
    expect(Object.values(after.outcomes).every((count) => count > 0)).toBe(true)
    expect(story.driver.deadLetters()).toEqual([])
    const finals = story
      .eventTypes()
      .orders.filter((type) => /\.(completed|rejected|cancelled|expired)$/.test(type))
    expect(finals).toHaveLength(150)
  })

  it('keeps no state outside of its stores', { timeout: 120_000 }, async () => {
    const [plain, rebuilt] = [await day(40, false), await day(40, true)]
    expect(rebuilt.after).toEqual(plain.after)
    expect(rebuilt.story.eventTypes()).toEqual(plain.story.eventTypes())
  })
})
