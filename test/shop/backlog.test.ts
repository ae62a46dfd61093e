/**
 * Goal: a pause must not expire what has its answer waiting in a queue.
 *
 * Method: the shop comes up to an hour of backlog, on the real runtime and the embedded broker with
 * a manual clock. The gateway answers after two seconds and takes one call per task, so that the
 * last charge waits over 20 minutes, longer than the payment deadline of 15. Some customers pay by
 * transfer, their payments wait in the backlog too; some never pay.
 * Invariants: only those who never paid expire; every charge of an order that was not delivered is
 * refunded in full; nothing is violated.
 */

import { expect, test } from 'vitest'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { partitionOf } from '../../src/broker/partitioner.ts'
import { Application, type Topic } from '../../src/index.ts'
import { noHeaders } from '../../src/record.ts'
import { macrotask } from '../../src/runtime/sleep.ts'
import { ManualClock } from '../../src/testing/index.ts'
import { fakeGateway } from '../../topologies/shop/gateway/fake-gateway.ts'
import { holdStore, productStore } from '../../topologies/shop/inventory/stores.ts'
import type { OrderRow } from '../../topologies/shop/orders/order-row.ts'
import { orderStore, orderTotals } from '../../topologies/shop/orders/stores.ts'
import { paymentStore } from '../../topologies/shop/payments/stores.ts'
import { shopConfig } from '../../topologies/shop/shared/config.ts'
import { processPaymentCommand } from '../../topologies/shop/shared/customer-commands.ts'
import { checkShop } from '../../topologies/shop/shared/invariants.ts'
import { createOrderCommand } from '../../topologies/shop/shared/order-request.ts'
import { updateStockCommand } from '../../topologies/shop/shared/stock-request.ts'
import {
  inventoryCommands,
  orderCommands,
  paymentCommands,
  topicCatalogue,
} from '../../topologies/shop/shared/topics.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'

const orderCount = 3_600
const priceMinor = 1_000
const hourMs = 3_600_000
const nowMs = Date.UTC(2026, 5, 1, 12)

type Kind = 'card' | 'paidTransfer' | 'unpaidTransfer'
const kindOf = (index: number): Kind => {
  if (index % 40 === 7) return 'paidTransfer'
  return index % 40 === 9 ? 'unpaidTransfer' : 'card'
}

class Backlog {
  readonly clock = new ManualClock(nowMs)
  broker!: EmbeddedBroker
  application!: Application

  async open(): Promise<void> {
    const { clock } = this
    this.broker = await EmbeddedBroker.open({ engine: MemoryEngine.create(), clock, seed: 1 })
    await this.broker.topics.create(
      topicCatalogue.map(({ topic, partitions, retentionMs }) => ({
        name: topic.name,
        partitions,
        config: { cleanupPolicy: 'delete', retentionMs },
      })),
    )
    const gateway = fakeGateway({
      seed: 3,
      declineRate: 0.05,
      shortRate: 0.05,
      latencyMs: 2_000,
      sleep: (ms) => new Promise((resolve) => void clock.setTimer(ms, resolve)),
    })
    this.application = new Application({
      applicationId: 'shop',
      broker: this.broker,
      engine: MemoryEngine.create(),
      clock,
      topology: shopTopology(shopConfig({ gateway, gatewayCalls: { maxInFlight: 1 } })),
    })
  }

  /** Everything that was sent while the shop was down, at the times it was sent. */
  async fill(): Promise<void> {
    const stock = { operation: 'ADD', quantity: orderCount, reason: 'RESTOCK' } as const
    const origin = { commandId: 'stock', nowMs: nowMs - hourMs, source: 'test' }
    await this.#send(inventoryCommands, 'tea', updateStockCommand('tea', stock, origin))
    for (let index = 0; index < orderCount; index++) {
      const sentMs = nowMs - hourMs + (index * hourMs) / orderCount
      const orderId = `order-${index}`
      const kind = kindOf(index)
      const order = {
        customerId: 'ann',
        currency: 'EUR',
        paymentMethod: kind === 'card' ? 'card' : 'transfer',
        items: [{ productId: 'tea', quantity: 1, priceMinor }],
      } as const
      const command = createOrderCommand(order, { orderId, nowMs: sentMs, source: 'test' })
      await this.#send(orderCommands, orderId, command, sentMs)
      if (kind === 'paidTransfer') await this.#pay(orderId, sentMs + 1_000)
    }
  }

  /** Lets so much time pass, in steps in which everything that is due happens. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      this.clock.advanceBy(500)
      for (let turn = 0; turn < 6; turn++) await macrotask()
    }
  }

  rows(): OrderRow[] {
    return [...this.application.query(orderStore).range()].map(([, row]) => row)
  }

  async #pay(orderId: string, sentMs: number): Promise<void> {
    const origin = { commandId: `pay-${orderId}`, nowMs: sentMs, source: 'test' }
    const data = {
      orderId,
      customerId: 'ann',
      paymentId: `transfer-${orderId}`,
      amountMinor: priceMinor,
      currency: 'EUR',
      method: 'transfer',
    } as const
    await this.#send(paymentCommands, orderId, processPaymentCommand(data, origin), sentMs)
  }

  async #send<V>(topic: Topic<string, V>, key: string, value: V, timestampMs = nowMs - hourMs) {
    const keyBytes = topic.key.encode(key)
    await this.broker.producer('test').send([
      {
        topic: topic.name,
        partition: partitionOf(keyBytes, 6),
        records: [
          { key: keyBytes, value: topic.value.encode(value), timestampMs, headers: noHeaders },
        ],
      },
    ])
  }
}

test('an hour of backlog with a slow gateway: nothing is falsely expired or kept', async () => {
  const backlog = new Backlog()
  await backlog.open()
  await backlog.fill()
  const starting = backlog.application.start()
  await backlog.pass(5_000)
  await starting
  await backlog.pass(16 * 60_000) // past every deadline that was set at the start
  const waiting = backlog.rows().filter(({ status }) => status === 'paying')
  expect(waiting.length).toBeGreaterThan(100) // charges that wait longer than the deadline
  await backlog.pass(12 * 60_000)

  const rows = new Map(backlog.rows().map((row) => [row.orderId, row]))
  expect(rows.size).toBe(orderCount)
  for (let index = 0; index < orderCount; index++) {
    const { status } = rows.get(`order-${index}`)!
    const allowed = {
      card: ['completed', 'cancelled'], // cancelled: declined, or a short capture that went back
      paidTransfer: ['completed'],
      unpaidTransfer: ['expired'],
    }[kindOf(index)]
    expect([index, kindOf(index), status, allowed.includes(status)]).toEqual([
      index,
      kindOf(index),
      status,
      true,
    ])
  }
  const { application } = backlog
  const totals = Object.fromEntries(application.query(orderTotals).range())
  const check = checkShop({
    orders: rows.values(),
    products: [...application.query(productStore).range()].map(([, row]) => row),
    holds: [...application.query(holdStore).range()].map(([, row]) => row),
    payments: [...application.query(paymentStore).range()].map(([, row]) => row),
    isSettled: true,
  })
  expect(check.violations).toEqual([])
  expect(totals['alarms']).toBeGreaterThan(0) // the long waits were seen
  await closeOf(backlog)
}, 120_000)

const closeOf = async ({ application, broker, clock }: Backlog): Promise<void> => {
  const closing = application.close()
  for (let i = 0; i < 20; i++) {
    clock.advanceBy(100)
    await macrotask()
  }
  await closing
  await broker.close()
}
