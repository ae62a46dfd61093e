/**
 * Histories of the shop, for property tests: fast-check draws orders, customers' commands and a
 * schedule: which queue moves, what is delivered twice, what the provider does, how time jumps.
 */

import fc from 'fast-check'
import type { PaymentMethod } from '../../topologies/shop/shared/commands.ts'
import {
  cancelOrderCommand,
  processPaymentCommand,
  refundOrderCommand,
  updateOrderCommand,
} from '../../topologies/shop/shared/customer-commands.ts'
import { createOrderCommand } from '../../topologies/shop/shared/order-request.ts'
import { updateStockCommand } from '../../topologies/shop/shared/stock-request.ts'
import { type GatewayLot, type Sabotage, ShopWorld } from './shop-world.ts'

export interface OrderPlan {
  readonly method: PaymentMethod
  readonly lines: readonly { readonly product: number; readonly quantity: number }[]
  readonly priceMinor: number
}

export interface History {
  readonly stock: readonly number[]
  readonly orders: readonly OrderPlan[]
  readonly schedule: readonly number[]
  /** Whether lines that lack stock wait for it; `switched` at each pause. */
  readonly backorders: 'off' | 'on' | 'switched'
}

/** Where commands go; what it knows decides which of them make sense. */
export interface CommandDesk extends Pick<ShopWorld, 'nowMs' | 'send'> {
  readonly orders: Pick<ReadonlyMap<string, unknown>, 'has'>
  /** So many, that the next command has an id of its own. */
  readonly delivered: Pick<readonly unknown[], 'length'>
}

const plans: fc.Arbitrary<OrderPlan> = fc.record({
  method: fc.constantFrom<PaymentMethod>('card', 'card', 'transfer'),
  lines: fc.array(fc.record({ product: fc.nat(2), quantity: fc.integer({ min: 1, max: 3 }) }), {
    minLength: 1,
    maxLength: 3,
  }),
  priceMinor: fc.constantFrom(0, 1, 999, 2550),
})

export const histories: fc.Arbitrary<History> = fc.record({
  stock: fc.array(fc.nat(14), { minLength: 3, maxLength: 3 }),
  orders: fc.array(plans, { minLength: 1, maxLength: 4 }),
  schedule: fc.array(fc.nat(1 << 20), { maxLength: 400, size: 'max' }),
  backorders: fc.constantFrom<History['backorders']>('off', 'on', 'switched'),
})

const origin = (world: CommandDesk, commandId: string) => ({
  commandId,
  source: 'test',
  nowMs: world.nowMs,
})

export const orderIdOf = (index: number): string => `order-${index}`

export const place = (
  world: CommandDesk,
  { method, lines, priceMinor }: OrderPlan,
  index: number,
): void => {
  const order = {
    customerId: 'c',
    currency: 'USD',
    paymentMethod: method,
    items: lines.map(({ product, quantity }) => ({
      productId: `p${product}`,
      quantity,
      priceMinor,
    })),
  }
  const orderId = orderIdOf(index)
  const value = createOrderCommand(order, { orderId, nowMs: world.nowMs, source: 'test' })
  world.send({ to: 'orders', value }, `${orderId}|commands`)
}

export const addStock = (
  world: CommandDesk,
  product: number,
  quantity: number,
  commandId: string,
): void => {
  const value = updateStockCommand(
    `p${product}`,
    {
      operation: 'ADD',
      quantity,
      reason: 'RESTOCK',
    },
    origin(world, commandId),
  )
  world.send({ to: 'inventory', value }, `p${product}`)
}

/** A customer or a clerk does something. */
export const intervene = (
  world: CommandDesk,
  choice: number,
  orders: readonly OrderPlan[],
): void => {
  const index = choice % orders.length
  const orderId = orderIdOf(index)
  const id = `cmd-${choice}-${world.delivered.length}`
  const lane = `${orderId}|commands`
  const { lines, priceMinor, method } = orders[index]!
  const totalMinor = lines.reduce((sum, { quantity }) => sum + quantity * priceMinor, 0)
  switch (Math.floor(choice / 7) % 8) {
    case 0:
      world.send(
        {
          to: 'orders',
          value: cancelOrderCommand(orderId, { reason: 'changed my mind' }, origin(world, id)),
        },
        lane,
      )
      return
    case 1:
      world.send(
        { to: 'orders', value: updateOrderCommand({ orderId, notes: id }, origin(world, id)) },
        lane,
      )
      return
    case 2:
      world.send(
        {
          to: 'orders',
          value: refundOrderCommand(
            { orderId, reason: 'goodwill', amountMinor: 1 + (choice % 5) },
            origin(world, id),
          ),
        },
        lane,
      )
      return
    case 3:
    case 4: {
      const amountMinor = Math.max(1, totalMinor - (choice % 11 === 0 ? 1 : 0))
      const data = {
        paymentId: `pay-${id}`,
        orderId,
        customerId: 'c',
        amountMinor,
        currency: 'USD',
        method: 'transfer' as const,
      }
      const isWanted = method === 'transfer' || choice % 3 === 0
      if (!isWanted || !world.orders.has(orderId)) return // nobody pays for an unknown order
      world.send({ to: 'payments', value: processPaymentCommand(data, origin(world, id)) }, orderId)
      return
    }
    case 5:
      addStock(world, choice % 3, choice % 4, id)
      return
    case 6: {
      const value = updateStockCommand(
        `p${choice % 3}`,
        {
          operation: 'SUBTRACT',
          quantity: choice % 5,
          reason: 'ADJUSTMENT',
          force: choice % 2 === 0,
        },
        origin(world, id),
      )
      world.send({ to: 'inventory', value }, `p${choice % 3}`)
      return
    }
    default:
      place(world, orders[index]!, index)
  }
}

const lots: readonly GatewayLot[] = [
  'captured',
  'captured',
  'captured',
  'declined',
  'short',
  'lost',
  'unknown',
]
const pausesMs = [1, 500, 60_000, 301_000, 16 * 60_000, 61 * 60_000]

const step = (world: ShopWorld, choice: number, orders: readonly OrderPlan[]): void => {
  const detail = Math.floor(choice / 20)
  const kind = choice % 20
  const lanes = world.lanes()
  const calls = world.gatewayLanes()
  if (kind < 11 && lanes.length > 0) world.deliverFrom(lanes[detail % lanes.length]!)
  else if (kind < 14 && calls.length > 0) {
    world.callGateway(calls[detail % calls.length]!, lots[detail % lots.length]!)
  } else if (kind < 16 && world.delivered.length > 0) {
    world.handle(world.delivered[detail % world.delivered.length]!)
  } else if (kind < 18) intervene(world, detail, orders)
  else {
    world.nowMs += pausesMs[detail % pausesMs.length]!
    world.tick()
  }
}

export const checkNow = (world: ShopWorld, isSettled = false): void => {
  const found = world.violations(isSettled)
  if (found.length > 0) throw new Error(JSON.stringify(found[0]))
}

/** Lets everything come to rest: queues empty, provider answering, deadlines passing. */
const settle = (world: ShopWorld): void => {
  for (let round = 0; round < 60; round++) {
    for (let lane = world.lanes()[0]; lane !== undefined; lane = world.lanes()[0]) {
      world.deliverFrom(lane)
      checkNow(world)
    }
    for (const lane of world.gatewayLanes()) world.callGateway(lane, 'captured')
    world.nowMs += 60_000
    world.tick()
    checkNow(world)
    const isQuiet = world.lanes().length + world.gatewayLanes().length === 0
    if (isQuiet && world.openOrders().length === 0) return
  }
}

export interface RunOptions {
  readonly sabotage?: Sabotage
  /** After every step of the schedule, and at rest. */
  readonly afterStep?: (world: ShopWorld) => void
}

/** @throws {Error} an invariant does not hold */
export const run = (
  { stock, orders, schedule, backorders }: History,
  { sabotage = {}, afterStep }: RunOptions = {},
): ShopWorld => {
  const world = new ShopWorld(sabotage)
  world.acceptsBackorders = backorders !== 'off'
  stock.forEach((quantity, product) => {
    addStock(world, product, quantity, `initial-${product}`)
    world.deliverFrom(`inventory|p${product}`)
  })
  orders.forEach((plan, index) => place(world, plan, index))
  let pausedAtMs = world.nowMs
  for (const choice of schedule) {
    step(world, choice, orders)
    if (backorders === 'switched' && world.nowMs !== pausedAtMs) {
      pausedAtMs = world.nowMs
      world.acceptsBackorders = !world.acceptsBackorders
    }
    checkNow(world)
    afterStep?.(world)
  }
  settle(world)
  afterStep?.(world)
  return world
}
