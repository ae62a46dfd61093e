/**
 * Goal: every replica of the shop answers for every key, also while partitions move: what is
 * committed, or 503 with Retry-After; never "not found" of something that was accepted. What is
 * erased at one is erased at all.
 *
 * Method: real processes on a real Kafka. Orders are placed at one replica and asked for at all of
 * them, without a pause, while a third joins and one is killed (-9). The truth about an order is
 * what was sent: with enough stock and a willing provider each ends as completed.
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StateDirectory } from '../../state/directory.ts'
import { orderOf as tea } from '../http/shop-client.ts'
import { realKafka } from './real-kafka.ts'
import { kill, outcome, ShopProcesses } from './shop-processes.ts'

// apart: others count the orders of the shared one
const kafka = await realKafka({ apart: 'queries', isOwn: true })
const ordersPerPhase = 18
const waitMaxMs = 60_000

type Body = Record<string, unknown>

interface Replica {
  readonly address: string
  kill(): Promise<void>
}

let shop: ShopProcesses

beforeEach(() => {
  shop = new ShopProcesses()
})

afterEach(() => shop.end())

const call = async (address: string, path: string, init: RequestInit = {}) => {
  const response = await fetch(address + path, init)
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Body,
  }
}

const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  for (const endMs = performance.now() + waitMaxMs; performance.now() < endMs;) {
    if (await condition()) return
    await sleep(50)
  }
  throw new Error(`never: ${String(condition)}`)
}

/** What was placed, asked for at every replica without a pause; complaints are kept. */
class Questions {
  readonly complaints: string[] = []
  readonly answers = new Map<string, number>()
  readonly #placed = new Map<string, string>()
  #replicas: readonly Replica[] = []
  #isOver = false

  askAt(replicas: readonly Replica[]): void {
    this.#replicas = replicas
  }

  async place(orderId: string, quantity: number): Promise<void> {
    const body = JSON.stringify(tea(quantity, { orderId }))
    const headers = { 'content-type': 'application/json' }
    await until(async () => {
      const { address } = this.#replicas[this.#placed.size % this.#replicas.length]!
      const { status } = await call(address, '/api/orders', { method: 'POST', headers, body })
      return status === 202 || status === 200
    })
    this.#placed.set(orderId, (quantity * 2.5).toFixed(2))
  }

  /** Until `stop`: one after the other, since every process here has to share two cores. */
  async run(): Promise<void> {
    while (!this.#isOver) {
      for (const [orderId, total] of this.#placed) {
        for (const replica of this.#replicas) await this.#ask(replica, orderId, total)
      }
      await sleep(5)
    }
  }

  stop(): void {
    this.#isOver = true
  }

  /** Whether every replica knows every order as completed. */
  async areSettled(): Promise<boolean> {
    for (const orderId of this.#placed.keys()) {
      for (const { address } of this.#replicas) {
        const { status, body } = await call(address, `/api/orders/${orderId}`)
        if (status !== 200 || body['status'] !== 'completed') return false
      }
    }
    return true
  }

  get orderIds(): readonly string[] {
    return [...this.#placed.keys()]
  }

  async #ask({ address }: Replica, orderId: string, total: string): Promise<void> {
    const answer = await call(address, `/api/orders/${orderId}`).catch(() => undefined)
    // a replica that was killed meanwhile is no replica any more
    if (answer === undefined || !this.#replicas.some((replica) => replica.address === address)) {
      return
    }
    const { status, headers, body } = answer
    this.#count(status, headers)
    const isTrue = status === 200 && (body['total'] ?? total) === total
    const isLater = status === 503 && headers.get('retry-after') === '1'
    if (!isTrue && !isLater) {
      this.complaints.push(`${orderId}: ${status} ${JSON.stringify(body)}`)
    }
  }

  #count(status: number, headers: Headers): void {
    const what = `${status} ${headers.get('millrace-owner') === null ? '' : 'owner'}`.trim()
    this.answers.set(what, (this.answers.get(what) ?? 0) + 1)
  }
}

// the shop's topics have fixed names: totals are known on a cluster of this run only
describe.skipIf(!('nodes' in kafka))('queries at any replica of the shop', () => {
  const replica = async (name: string): Promise<Replica> => {
    if ('skipped' in kafka) throw new Error(kafka.skipped)
    const stateDir = join(shop.directory, name)
    const options = {
      '--bootstrap': kafka.bootstrap,
      '--state-dir': stateDir,
      '--port': '0',
      '--master-key-file': join(shop.directory, 'master-key'),
      '--session-timeout-ms': '3000',
      '--heartbeat-interval-ms': '300',
    }
    writeFileSync(options['--master-key-file'], Buffer.alloc(32, 7).toString('hex'))
    const child = shop.millrace('run', 'shop', ...Object.entries(options).flat())
    void outcome(child)
    await until(() => StateDirectory.readLock(stateDir)?.address !== undefined)
    const { address } = StateDirectory.readLock(stateDir)! as { readonly address: string }
    await until(async () => (await fetch(`${address}/health/ready`)).ok)
    return { address, kill: () => kill(child) }
  }

  const millrace = async (...args: readonly string[]): Promise<unknown> => {
    const { status, stdout, stderr } = await outcome(shop.millrace(...args, '-o', 'json'))
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
    return JSON.parse(stdout)
  }

  it('answers are true or 503 while replicas come and go', { timeout: 300_000 }, async () => {
    const first = await replica('a')
    const second = await replica('b')
    const stock = JSON.stringify({ operation: 'ADD', quantity: 10_000 })
    const headers = { 'content-type': 'application/json' }
    await until(async () => {
      const { status } = await call(first.address, '/api/inventory/tea', {
        method: 'PUT',
        headers: { ...headers, 'idempotency-key': 'stock' },
        body: stock,
      })
      return status === 200
    })
    const questions = new Questions()
    questions.askAt([first, second])
    const asking = questions.run()
    let units = 0
    const phase = async (name: string): Promise<void> => {
      for (let i = 0; i < ordersPerPhase; i++) {
        units += 1 + (i % 3)
        await questions.place(`${name}-${i}`, 1 + (i % 3))
      }
    }
    await phase('two')
    const joining = replica('c')
    await phase('joining')
    const third = await joining
    questions.askAt([first, second, third])
    await phase('three')
    questions.askAt([second, third])
    await first.kill()
    await phase('killed')
    await until(() => questions.areSettled())
    questions.stop()
    await asking
    expect(questions.complaints).toEqual([])
    expect(questions.answers.get('200 owner')).toBeGreaterThan(100)

    const ids = questions.orderIds.toSorted()
    for (const { address } of [second, third]) {
      const product = await call(address, '/api/inventory/tea')
      expect(product.body).toMatchObject({ deductedTotal: units, onHand: 10_000 - units })
      expect((await call(address, '/api/status')).body).toMatchObject({
        orders: ids.length,
        statuses: { completed: ids.length },
      })
      const found: string[] = []
      for (let cursor: unknown = ''; typeof cursor === 'string';) {
        const more = cursor === '' ? '' : `&cursor=${cursor}`
        const page = await call(address, `/api/stores/orders/rows?limit=10${more}`)
        found.push(...(page.body['rows'] as { key: string }[]).map(({ key }) => key))
        expect((page.body['sources'] as object[]).length).toBe(6)
        cursor = page.body['cursor']
      }
      expect(found).toEqual(ids)
      // follows the orders by a commit or two
      const historyOf = async (): Promise<Body> =>
        (await call(address, '/api/customers/c-1/orders?limit=1000')).body
      const eventsOf = (body: Body): readonly Body[] => (body['events'] ?? []) as readonly Body[]
      await until(async () => eventsOf(await historyOf()).length === 3 * ids.length)
      const events = eventsOf(await historyOf())
      expect(new Set(events.map(({ orderId }) => orderId))).toEqual(new Set(ids))
      expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(events.length)
      const times = events.map(({ timestamp }) => timestamp as string)
      expect(times).toEqual(times.toSorted())
      const unknown = await call(address, '/api/orders/never-placed')
      expect(unknown.status).toBe(404)
    }
    const owners = new Set<string | null>()
    for (const id of ids) {
      const { headers: told } = await call(second.address, `/api/orders/${id}`)
      owners.add(told.get('millrace-owner'))
    }
    expect(owners.size).toBe(2)
    const personal = JSON.stringify(tea(1, { orderId: 'x', customerId: 'x-1', notes: 'ring' }))
    await call(second.address, '/api/orders', { method: 'POST', headers, body: personal })
    const notesAt = async ({ address }: Replica): Promise<unknown> =>
      (await call(address, '/api/orders/x')).body['notes']
    await until(async () => (await notesAt(third)) === 'ring')
    const erased = await call(third.address, '/api/customers/x-1/personal-data', {
      method: 'DELETE',
    })
    expect(erased.body).toEqual({ customerId: 'x-1', keys: 1 })
    expect([await notesAt(second), await notesAt(third)]).toEqual(['[erased]', '[erased]'])
    const url = ['--url', second.address]
    for (const id of ids.slice(0, 2)) {
      expect(await millrace('query', 'orders', 'get', id, ...url)).toMatchObject({ orderId: id })
      expect(await millrace('order', 'show', id, ...url)).toMatchObject({ order: { orderId: id } })
    }
  })
})
