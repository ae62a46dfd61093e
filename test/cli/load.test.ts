/**
 * Goal: a file of orders is loaded once, whatever happens on the way.
 *
 * Method: the real command on small files: malformed lines, a running instance, kill -9 at points
 * in time that differ, and the same file again.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { millrace, startMillrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

interface LoadSummary {
  readonly orders: number
  readonly units: number
  readonly amountMinor: Readonly<Record<string, number>>
  readonly outcomes: Readonly<Record<string, number>>
  readonly open: number
  readonly invariants: { readonly violations: readonly unknown[] }
  readonly load: {
    readonly lines: number
    readonly sent: number
    readonly alreadyThere: number
    readonly malformed: number
    readonly refused: number
    readonly isComplete: boolean
  }
}

const order = (n: number): object => ({
  customerId: `c-${n % 7}`,
  currency: 'EUR',
  items: [
    { productId: `p-${n % 3}`, quantity: 1 + (n % 2), price: '2.50' },
    { productId: 'p-hot', quantity: 1, price: 0.1 },
  ],
  placedAt: '2024-05-01T10:00:00Z',
})

const file = (name: string, lines: readonly string[]): string => {
  const path = join(folder.path, name)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

const load = (path: string, stateDir: string): readonly string[] => [
  'load',
  path,
  '--exit',
  '-o',
  'json',
  '--port',
  '0',
  '--state-dir',
  join(folder.path, stateDir),
]

const summaryOf = (stdout: string): LoadSummary => JSON.parse(stdout) as LoadSummary

describe('load', () => {
  it('loads the good lines and sets the malformed aside', async () => {
    const good = Array.from({ length: 40 }, (_, n) => JSON.stringify(order(n)))
    const path = file('mixed.jsonl', [
      ...good.slice(0, 5),
      '{"customerId": "c", ',
      ...good.slice(5, 20),
      '',
      JSON.stringify({ ...order(1), currency: 'EURO' }),
      ...good.slice(20),
      JSON.stringify({ ...order(2), surprise: true }),
    ])
    const { exitCode, stdout, stderr } = await millrace(load(path, 'mixed'))
    expect(exitCode, stderr).toBe(0)
    const summary = summaryOf(stdout)
    expect(summary).toMatchObject({
      orders: 40,
      units: 40 + 60,
      amountMinor: { EUR: 60 * 250 + 40 * 10 },
      outcomes: { completed: 40 },
      open: 0,
      load: { lines: 43, sent: 40, malformed: 3, refused: 0, isComplete: true },
    })
    expect(summary.invariants.violations).toEqual([])
    expect(stderr).toContain(`${path}:6: `)
    expect(stderr).toContain(`${path}:23: /currency must be an ISO-4217 code`)
    expect(stderr).toContain(`${path}:44: /surprise is not a known field`)
    const rejects = readFileSync(`${path}.rejects`, 'utf8').trimEnd().split('\n')
    expect(rejects).toHaveLength(3)
    expect(rejects[0]).toBe('{"customerId": "c", ')
  }, 60_000)

  it('is loaded once, though killed on the way again and again', async () => {
    const lines = Array.from({ length: 1_500 }, (_, n) => JSON.stringify(order(n)))
    const args = load(file('killed.jsonl', lines), 'killed')
    for (const afterMs of [300, 900, 50, 600]) {
      const running = startMillrace(args)
      await running.waitFor(/opening/)
      await new Promise((resolve) => setTimeout(resolve, afterMs))
      running.process.kill('SIGKILL')
      await running.ended
    }
    const { exitCode, stdout, stderr } = await millrace(args)
    expect(exitCode, stderr).toBe(0)
    expect(summaryOf(stdout)).toMatchObject({
      orders: 1_500,
      units: 1_500 + 2_250,
      amountMinor: { EUR: 2_250 * 250 + 1_500 * 10 },
      outcomes: { completed: 1_500, rejected: 0, cancelled: 0, expired: 0 },
      open: 0,
      invariants: { violations: [] },
    })
    const again = summaryOf((await millrace(args)).stdout)
    expect(again).toMatchObject({ orders: 1_500, load: { sent: 0, alreadyThere: 1_500 } })
  }, 120_000)

  it('rejects what is not stocked', async () => {
    const path = file('unstocked.jsonl', [JSON.stringify(order(1))])
    const { exitCode, stdout } = await millrace([...load(path, 'unstocked'), '--no-stock'])
    expect(exitCode).toBe(0)
    expect(summaryOf(stdout)).toMatchObject({ orders: 1, outcomes: { rejected: 1 }, open: 0 })
  }, 60_000)

  it('loads into a running process, which others can ask too', async () => {
    const stateDir = join(folder.path, 'shared')
    const running = startMillrace(['run', '--port', '0', '--state-dir', stateDir])
    await running.waitFor(/http:\/\/127\.0\.0\.1:\d+/)
    const body = { ...order(3), orderId: 'order-from-file', notes: 'ring at the Meyers' }
    const path = file('shared.jsonl', [JSON.stringify(body), JSON.stringify(order(4))])
    const loaded = await millrace(load(path, 'shared'))
    expect(loaded.exitCode, loaded.stderr).toBe(0)
    expect(loaded.stderr).toContain('is in use; loading over its HTTP API')
    expect(summaryOf(loaded.stdout)).toMatchObject({ orders: 2, outcomes: { completed: 2 } })
    await sameStory(stateDir)

    running.process.kill('SIGTERM')
    expect((await running.ended).exitCode).toBe(0)
    // and the same from the files of the stopped instance
    await sameStory(stateDir)
  }, 60_000)
})

const sameStory = async (stateDir: string): Promise<void> => {
  const at = ['--state-dir', stateDir]
  const shown = await millrace(['order', 'show', 'order-from-file', '-o', 'json', ...at])
  const { order: row, events } = JSON.parse(shown.stdout) as {
    readonly order: object
    readonly events: readonly { readonly eventType: string }[]
  }
  const notes = 'ring at the Meyers' // sealed where it lies
  expect(row).toMatchObject({ orderId: 'order-from-file', status: 'completed', notes })
  const types = events.map(({ eventType }) => eventType)
  expect(types.slice(0, 2)).toEqual(['order.created', 'workflow.started'])
  expect(types.filter((type) => type === 'stock.deducted')).toHaveLength(2)
  expect(types).toContain('payment.processed')
  expect(types.slice(-2)).toEqual(['order.completed', 'saga.completed'])
  const text = await millrace(['order', 'show', 'order-from-file', ...at])
  expect(text.stdout).toMatch(/^status +completed$/m)
  expect(text.stdout).toMatch(/\+0 ms +order\.created +total 5\.10 EUR/)

  const hot = await millrace(['query', 'products', 'get', 'p-hot', '-o', 'json', ...at])
  expect(JSON.parse(hot.stdout)).toMatchObject({ productId: 'p-hot', deductedTotal: 2, held: 0 })
  const range = ['query', 'products', 'range', '--from', 'p-1', '--to', 'p-2', '-o', 'json']
  const rows = JSON.parse((await millrace([...range, ...at])).stdout) as readonly { key: string }[]
  expect(rows.map(({ key }) => key)).toEqual(['p-1'])
  const missing = await millrace(['query', 'products', 'get', 'nothing', ...at])
  expect([missing.exitCode, missing.stdout]).toEqual([1, ''])
  const unknown = await millrace(['query', 'product', 'get', 'nothing', ...at])
  expect(unknown.stderr).toContain("unknown store 'product'; the nearest known one is 'products'")
  expect(unknown.exitCode).toBe(2)
}
