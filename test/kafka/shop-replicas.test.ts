/**
 * Goal: replicas of `millrace run shop --bootstrap` share the shop and lose or double nothing when
 * one is killed. Method: real processes; one is killed with SIGKILL in the middle of a load and
 * started again; the totals of the load, seen through the changelogs, must be those of its file.
 */

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { realKafka } from './real-kafka.ts'
import { outcome, ShopProcesses } from './shop-processes.ts'

const kafka = await realKafka()
const orderCount = 1_200

let shop: ShopProcesses

beforeEach(() => {
  shop = new ShopProcesses()
})

afterEach(() => shop.end())

/** CDNOW lines: full id, sample id, date, units, dollars. */
const writeOrders = (path: string): void => {
  const lines = Array.from(
    { length: orderCount },
    (_, i) =>
      ` 0${1_000 + (i % 300)} ${i % 300} 199701${String((i % 28) + 1).padStart(2, '0')} 2  10.${
        10 + (i % 90)
      }`,
  )
  writeFileSync(path, `${lines.join('\n')}\n`)
}

// the shop's topics have fixed names: totals are known on a cluster of this run only
describe.skipIf(!('nodes' in kafka))('replicas of the shop on Kafka', () => {
  it('a replica killed in the middle of a load changes no total', async () => {
    if ('skipped' in kafka) return
    const { bootstrap } = kafka
    const replica = (name: string): ChildProcess =>
      shop.millrace(
        'run',
        'shop',
        '--bootstrap',
        bootstrap,
        '--state-dir',
        join(shop.directory, name),
        '--port',
        '0',
        '--session-timeout-ms',
        '3000',
        '--heartbeat-interval-ms',
        '300',
      )
    const first = replica('a')
    const second = replica('b')
    void outcome(first)
    void outcome(second)
    while (!existsSync(join(shop.directory, 'b', 'lock.json'))) await sleep(50)
    const file = join(shop.directory, 'orders.txt')
    writeOrders(file)
    const loading = outcome(
      shop.millrace(
        'load',
        file,
        '--format',
        'cdnow',
        '--bootstrap',
        bootstrap,
        '--exit',
        '-o',
        'json',
        '--rate',
        '150',
      ),
    )
    await sleep(4_000)
    first.kill('SIGKILL')
    await once(first, 'exit')
    void outcome(replica('a'))
    const { status, stdout, stderr } = await loading
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
    const summary = JSON.parse(stdout) as Record<string, unknown>
    const cents = Array.from({ length: orderCount }, (_, i) => 1_010 + (i % 90))
    expect(summary).toMatchObject({
      orders: orderCount,
      units: orderCount * 2,
      amountMinor: { USD: cents.reduce((sum, value) => sum + value, 0) },
      open: 0,
      duplicates: 0,
      invariants: { violations: [] },
    })
    expect(readFileSync(join(shop.directory, 'a', 'instance-id'), 'utf8')).not.toBe(
      readFileSync(join(shop.directory, 'b', 'instance-id'), 'utf8'),
    )
  }, 120_000)
})

describe('a Kafka that does not answer', () => {
  it('is waited for, named, and given up', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { readonly port: number }
    server.close()
    const { status, stderr } = await outcome(
      shop.millrace(
        'run',
        'shop',
        '--bootstrap',
        `127.0.0.1:${port}`,
        '--state-dir',
        join(shop.directory, 'c'),
        '--connect-timeout',
        '3s',
      ),
    )
    expect(status).toBe(1)
    expect(stderr).toContain(`connecting to Kafka at 127.0.0.1:${port}`)
    expect(stderr).toMatch(/trying for \d s more/)
    expect(stderr).toMatch(/BROKER_UNAVAILABLE: no Kafka broker at .* --connect-timeout/)
  }, 30_000)
})
