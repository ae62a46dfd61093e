/**
 * Goal: the shop in Avro is the same shop, over restarts and with what it wrote in JSON before.
 *
 * Method: the real commands on one state directory; its topics are read in between.
 */

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { StateDirectory } from '../../state/directory.ts'
import { orders } from '../../topologies/shop/shared/topics.ts'
import { openEmbeddedBroker } from '../../src/cli/open-broker.ts'
import { bytes } from '../../src/serde/bytes.ts'
import { utf8 } from '../../src/serde/utf8.ts'
import { topic } from '../../src/topic.ts'
import { readTopic } from '../simulation/topics.ts'
import { millrace, startMillrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

const stateDir = join(folder.path, 'state')
const avro = ['--serialization', 'avro']

const order = (n: number): string =>
  JSON.stringify({
    orderId: `o-${n}`,
    customerId: 'ann',
    currency: 'EUR',
    notes: n % 2 === 0 ? 'ring twice' : undefined,
    placedAt: '2026-01-01T10:00:00+01:00',
    items: [{ productId: 'tea', quantity: 1, price: '12.50' }],
  })

const fileOf = (from: number, to: number): string => {
  const path = join(folder.path, 'orders.jsonl')
  const lines = Array.from({ length: to - from }, (_, i) => order(from + i))
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

const load = async (path: string, ...more: readonly string[]) => {
  const args = ['load', path, '--state-dir', stateDir, '--port', '0', '--exit', '-o', 'json']
  const { exitCode, stdout, stderr } = await millrace([...args, ...more])
  if (exitCode !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as {
    readonly outcomes: Readonly<Record<string, number>>
    readonly load: { readonly sent: number; readonly alreadyThere: number }
    readonly invariants: { readonly violations: readonly object[] }
  }
}

/** Values and header names of all order events, as they lie in the log. */
const stored = async () => {
  await using parts = new AsyncDisposableStack()
  const broker = await openEmbeddedBroker(
    { stateDir, stateMemoryBytes: 64 << 20, fsync: false },
    parts,
  )
  const records = await readTopic(broker, topic(orders.name, { key: utf8, value: bytes }))
  return records.map(({ value, headers }) => ({
    isAvro: value[0] === 0,
    headers: headers.map(({ key }) => key),
  }))
}

describe('the shop in Avro', { timeout: 120_000 }, () => {
  it('takes over what was JSON, and may go back', async () => {
    expect((await load(fileOf(0, 5))).outcomes).toMatchObject({ completed: 5 })
    expect((await stored()).filter(({ isAvro }) => isAvro)).toEqual([])

    const inAvro = await load(fileOf(3, 12), ...avro)
    // known by their bodies, though their commands were JSON then
    expect(inAvro.load).toMatchObject({ sent: 7, alreadyThere: 2 })
    expect(inAvro.outcomes).toMatchObject({ completed: 12 })
    expect(inAvro.invariants.violations).toEqual([])
    const events = (await stored()).filter(({ isAvro }) => isAvro)
    expect(events.length).toBe(21)
    for (const { headers } of events) {
      expect(headers).toEqual(['traceparent', 'service', 'version', 'timestamp'])
    }

    const again = await load(fileOf(0, 14))
    expect(again.load).toMatchObject({ sent: 2, alreadyThere: 12 })
    expect(again.outcomes).toMatchObject({ completed: 14 })
    expect((await stored()).filter(({ isAvro }) => isAvro).length).toBe(21)

    for (const id of ['o-1', 'o-11']) {
      const { stdout } = await millrace(['order', 'show', id, '--state-dir', stateDir])
      expect(stdout).toContain('order.completed')
      expect(stdout).toContain('payment.processed')
    }
  })

  it('serves its registry, which schema asks while it runs and when it does not', async () => {
    const diff = ['schema', 'diff', '--state-dir', stateDir, '-o', 'json']
    expect(await millrace(diff)).toMatchObject({ exitCode: 0, stdout: '[]\n' })
    const args = ['run', '--state-dir', stateDir, '--port', '0', '-o', 'json', ...avro]
    const running = startMillrace(args)
    await running.waitFor(/waiting 0/)
    const { address } = StateDirectory.readLock(stateDir)!
    const subjects = (await (await fetch(`${address}/registry/subjects`)).json()) as string[]
    expect(subjects).toHaveLength(41)
    expect((await fetch(`${address}/health/ready`)).status).toBe(200)
    expect(await millrace(diff)).toMatchObject({ exitCode: 0, stdout: '[]\n' })
    running.process.kill('SIGINT')
    expect((await running.ended).exitCode).toBe(0)
  })

  it('is not ready while a registry that is named is away, and says so', async () => {
    const own = join(folder.path, 'away')
    const registry = ['--schema-registry', 'http://127.0.0.1:1']
    const running = startMillrace(['run', '--state-dir', own, '--port', '0', ...avro, ...registry])
    await running.waitFor(/schema registry cannot be reached/)
    const { address } = StateDirectory.readLock(own)!
    const response = await fetch(`${address}/health/ready`)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({
      reason: expect.stringContaining('schema registry cannot be reached') as string,
    })
    running.process.kill('SIGINT')
    const { exitCode, stderr } = await running.ended
    expect(exitCode).toBe(1)
    expect(stderr).toContain('ended before it ran, while the schema registry cannot be reached')
  })

  it('ends with --for while it waits for a registry or a Kafka that does not answer', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const bounded = (command: string, ...waiting: readonly string[]) =>
      millrace([command, '--for', '2s', '--port', '0', '--state-dir', ...waiting])
    const [registry, kafka] = await Promise.all([
      bounded(
        'dev',
        join(folder.path, 'a'),
        ...avro,
        '--schema-registry',
        `http://127.0.0.1:${port}`,
      ),
      bounded('run', join(folder.path, 'b'), '--bootstrap', '127.0.0.1:1'),
    ])
    expect(registry.stderr).toMatch(
      /millrace: the time of --for is over: ended before it ran, while the schema registry /,
    )
    expect(kafka.stderr).toMatch(
      /millrace: the time of --for is over: stopped while waiting for Kafka at 127.0.0.1:1\b/,
    )
    expect([registry.exitCode, kafka.exitCode]).toEqual([1, 1])
  })

  it('is refused on Kafka without a registry, and with half a login', async () => {
    const run = (...args: readonly string[]) => millrace(['run', ...args])
    const kafka = await run('--bootstrap', '127.0.0.1:1', ...avro)
    expect(kafka.exitCode).toBe(2)
    expect(kafka.stderr).toContain('--serialization avro on Kafka needs a registry')
    const named = ['--state-dir', join(folder.path, 'x'), '--schema-registry']
    const user = await run(...named, 'http://127.0.0.1:1', '--schema-registry-username', 'u')
    expect(user.exitCode).toBe(2)
    expect(user.stderr).toContain('MILLRACE_SCHEMA_REGISTRY_PASSWORD')
    const url = await run(...named, 'ftp://x')
    expect(url).toMatchObject({ exitCode: 2, stdout: '' })
    expect(url.stderr).toContain('http or https')
  })
})
