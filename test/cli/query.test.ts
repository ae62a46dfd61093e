/**
 * Goal: `query` shows every row there is and whose it is, from a running shop as from its files.
 *
 * Method: counters, which have the same key in every partition, of a shop with a few orders.
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { millrace, startMillrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

const stateDir = join(folder.path, 'state')
const orders = 30

interface Row {
  readonly partition: number
  readonly key: string
  readonly value: number
}

const query = async (...args: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await millrace(['query', ...args, '--state-dir', stateDir])
  return stdout === '' ? stderr : stdout
}

const sum = (rows: readonly { readonly value: number }[]): number =>
  rows.reduce((total, { value }) => total + value, 0)

const checkAnswers = async (): Promise<void> => {
  const all = JSON.parse(await query('order-totals', 'range', '-o', 'json')) as readonly Row[]
  const counted = all.filter(({ key }) => key === 'orders')
  expect(sum(counted)).toBe(orders)
  expect(counted.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4, 5])

  const got = await query('order-totals', 'get', 'orders', '-o', 'json')
  expect(JSON.parse(got)).toEqual(counted.map(({ partition, value }) => ({ partition, value })))
  const lines = (await query('order-totals', 'range')).trimEnd().split('\n')
  expect(lines.map((line) => line.split(/ +/))).toEqual(
    all.map(({ partition, key, value }) => [String(partition), key, String(value)]),
  )
  // a key that is in one partition only is its value
  const product = JSON.parse(await query('products', 'get', 'tea', '-o', 'json')) as object
  expect(product).toMatchObject({ productId: 'tea', deductedTotal: orders })
  expect(await query('order-totals', 'range', 'orders')).toContain('bound it with --from and --to')
  // no row is no line
  const none = ['order-totals', 'range', '--from', 'zz', '--state-dir', stateDir]
  expect(await millrace(['query', ...none])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' })
  expect(await query(...none, '-o', 'json')).toBe('[]\n')
  const reversed = ['order-totals', 'range', '--from', 'z', '--to', 'a', '--state-dir', stateDir]
  expect(await millrace(['query', ...reversed])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("nothing lies from 'z' to 'a'") as string,
  })
  const unknown = await millrace(['query', 'ordrs', 'get', 'x', '--state-dir', stateDir])
  expect(unknown.stderr).toContain("unknown store 'ordrs'; the nearest known one is 'orders'")
  expect(unknown.exitCode).toBe(2)
}

/** Asked by address: every row once, in the order of the whole, page after page. */
const checkPages = async (address: string): Promise<void> => {
  const all = JSON.parse(await query('order-totals', 'range', '-o', 'json')) as readonly Row[]
  const page = ['query', 'order-totals', 'range', '-o', 'json', '--url', address]
  const limit = Math.ceil(all.length / 2)
  const first = await millrace([...page, '--limit', String(limit)])
  const cursor = /--cursor (\S+)/.exec(first.stderr)![1]!
  const rest = await millrace([...page, '--limit', String(limit), '--cursor', cursor])
  expect(rest.stderr).toBe('')
  const rows = [first, rest].flatMap(({ stdout }) => JSON.parse(stdout) as readonly Row[])
  expect(rows).toEqual(all)
  const other = ['query', 'orders', 'range', '--url', address, '--cursor', cursor]
  expect((await millrace(other)).stderr).toContain('The cursor is one of store order-totals')
}

describe('query', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    const order = (n: number): string =>
      JSON.stringify({
        customerId: `c-${n}`,
        currency: 'EUR',
        items: [{ productId: 'tea', quantity: 1, price: 1 }],
      })
    const file = join(folder.path, 'orders.jsonl')
    writeFileSync(file, Array.from({ length: orders }, (_, n) => order(n)).join('\n'))
    const args = ['load', file, '--exit', '--port', '0', '--state-dir', stateDir]
    const { exitCode, stderr } = await millrace(args)
    expect(exitCode, stderr).toBe(0)
  }, 60_000)

  it('answers from the files of a stopped shop', checkAnswers)

  it('answers the same from the running one', async () => {
    const running = startMillrace(['run', '--port', '0', '--state-dir', stateDir])
    await running.waitFor(/http:\/\/127\.0\.0\.1:\d+/)
    await checkAnswers()
    const address = (await running.waitFor(/http:\/\/127\.0\.0\.1:\d+/))[0]
    await checkPages(address)
    running.process.kill('SIGTERM')
    await running.ended
  })
})
