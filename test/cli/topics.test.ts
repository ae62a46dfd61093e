/**
 * Goal: `millrace topics` says what differs, mends what is safe and nothing else. Method: the real
 * command on an embedded broker whose topics the test makes differ; the exit code tells scripts.
 */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Topics } from '../../src/broker/port.ts'
import { openEmbeddedBroker } from '../../src/cli/open-broker.ts'
import { createShopTopics } from '../../src/cli/shop-topics.ts'
import { millrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

interface Step {
  readonly action: string
  readonly topic: string
  readonly changes?: readonly object[]
}

const topics = async (stateDir: string, verb: string, ...more: readonly string[]) => {
  const args = ['topics', verb, '--state-dir', stateDir, '-o', 'json', ...more]
  const { exitCode, stdout, stderr } = await millrace(args)
  return { exitCode, stderr, steps: JSON.parse(stdout) as readonly Step[] }
}

/** Between two commands: the topics as somebody else would change them. */
const inBetween = async (
  stateDir: string,
  change: (port: Topics) => Promise<void>,
): Promise<void> => {
  mkdirSync(stateDir, { recursive: true })
  await using parts = new AsyncDisposableStack()
  const broker = await openEmbeddedBroker(
    { stateDir, stateMemoryBytes: 64 << 20, fsync: false },
    parts,
  )
  await change(broker.topics)
}

const actionsOf = (steps: readonly Step[]): readonly string[] =>
  steps.filter(({ action }) => action !== 'ok').map(({ action, topic }) => `${action} ${topic}`)

describe('millrace topics', { timeout: 120_000 }, () => {
  it('plans, applies, and then has nothing to do', async () => {
    const stateDir = join(folder.path, 'whole')
    const planned = await topics(stateDir, 'plan')
    expect(planned.exitCode).toBe(3)
    expect(new Set(planned.steps.map(({ action }) => action))).toEqual(new Set(['create']))
    expect(planned.steps.find(({ topic }) => topic === 'ecom.orders')).toEqual({
      action: 'create',
      topic: 'ecom.orders',
      kind: 'output',
      partitions: 6,
      replicas: 1,
      settings: {
        'cleanup.policy': 'delete',
        'retention.ms': '604800000',
        'max.message.bytes': '1048588',
        'compression.type': 'lz4',
        'min.insync.replicas': '1',
      },
    })
    const names = planned.steps.map(({ topic }) => topic)
    for (const name of [
      'ecom.dlq',
      'shop-orders-changelog',
      'shop-inventory-replies-repartition',
    ]) {
      expect(names).toContain(name)
    }
    expect(existsSync(stateDir)).toBe(false)
    const applied = await topics(stateDir, 'apply')
    expect([applied.exitCode, applied.steps]).toEqual([0, planned.steps])
    const again = await topics(stateDir, 'apply')
    expect([again.exitCode, again.steps]).toEqual([0, []])
    expect((await topics(stateDir, 'plan')).exitCode).toBe(0)
    expect(await topics(stateDir, 'verify')).toMatchObject({ exitCode: 0, steps: [] })
  })

  it('names each difference and mends it; what is not wanted stays', async () => {
    const stateDir = join(folder.path, 'mended')
    await topics(stateDir, 'apply')
    await inBetween(stateDir, async (port) => {
      await port.changeSettings([
        { name: 'ecom.orders', config: { retentionMs: 60_000, deleteRetentionMs: 5 } },
        { name: 'shop-orders-changelog', config: { cleanupPolicy: 'delete' } },
      ])
      await port.delete(['ecom.platform'])
      await port.create([
        { name: 'ecom.platform', partitions: 2, config: { cleanupPolicy: 'delete' } },
      ])
    })
    const verified = await topics(stateDir, 'verify')
    expect(verified.exitCode).toBe(1)
    expect(verified.stderr).toContain('4 differences in ')
    expect(verified.stderr).toContain('topics; millrace topics apply, with the same flags, mends')
    expect(actionsOf(verified.steps)).toEqual([
      'change settings ecom.orders',
      'raise partitions ecom.platform',
      'change settings ecom.platform',
      'change settings shop-orders-changelog',
    ])
    expect(verified.steps[0]!.changes).toEqual([
      { setting: 'retention.ms', from: '60000', to: '604800000' },
    ])
    const planned = await topics(stateDir, 'plan')
    expect([planned.exitCode, actionsOf(planned.steps)]).toEqual([3, actionsOf(verified.steps)])
    expect((await topics(stateDir, 'apply')).exitCode).toBe(0)
    expect((await topics(stateDir, 'verify')).exitCode).toBe(0)
    await inBetween(stateDir, async (port) => {
      const settings = await port.settings(['ecom.orders', 'shop-orders-changelog'])
      expect(settings.get('ecom.orders')!.deleteRetentionMs).toBe(5)
      expect(settings.get('shop-orders-changelog')!.cleanupPolicy).toBe('compact')
      expect((await port.describe(['ecom.platform'])).get('ecom.platform')!.partitions).toBe(6)
    })
  })

  it('refuses to repartition what state depends on, and then changes nothing', async () => {
    const stateDir = join(folder.path, 'refused')
    await inBetween(stateDir, async (port) => {
      await port.create([
        { name: 'ecom.order-commands', partitions: 4, config: { cleanupPolicy: 'delete' } },
        { name: 'ecom.orders', partitions: 8, config: { cleanupPolicy: 'delete' } },
        { name: 'shop-holds-changelog', partitions: 3, config: { cleanupPolicy: 'compact' } },
      ])
    })
    const planned = await topics(stateDir, 'plan')
    expect(planned.exitCode).toBe(4)
    const refused = planned.steps.filter(({ action }) => action === 'refused')
    expect(refused.map(({ topic }) => topic)).toEqual([
      'ecom.order-commands',
      'ecom.orders',
      'shop-holds-changelog',
    ])
    expect(refused[0]).toMatchObject({ from: 4, to: 6 })
    const applied = await topics(stateDir, 'apply')
    expect(applied.exitCode).toBe(4)
    expect(applied.stderr).toContain('nothing is changed')
    await inBetween(stateDir, async (port) => {
      expect(await port.list()).toHaveLength(3)
    })
  })

  it('names the input that got partitions by hand, and what is done about each', async () => {
    const stateDir = join(folder.path, 'raised')
    await inBetween(stateDir, async (port) => {
      const dlq = { name: 'ecom.dlq', partitions: 9, config: { cleanupPolicy: 'delete' } } as const
      await port.create([dlq])
      await createShopTopics({ topics: port }) // nothing lies by key there: it starts
      await port.delete(['ecom.order-commands', 'ecom.platform'])
      await port.create([
        { name: 'ecom.order-commands', partitions: 8, config: { cleanupPolicy: 'delete' } },
        { name: 'ecom.platform', partitions: 8, config: { cleanupPolicy: 'delete' } },
        { name: 'shop-orders-changelog', partitions: 6, config: { cleanupPolicy: 'compact' } },
        { name: 'shop-holds-changelog', partitions: 7, config: { cleanupPolicy: 'compact' } },
      ])
    })
    const { steps } = await topics(stateDir, 'verify')
    const refused = steps.filter(({ action }) => action === 'refused')
    expect(refused).toMatchObject([
      { topic: 'ecom.order-commands', reason: expect.stringContaining('copy it to a') as string },
      {
        topic: 'ecom.platform',
        reason: expect.stringContaining('--topic ecom.platform') as string,
      },
      { topic: 'shop-holds-changelog', reason: expect.stringContaining('restore it') as string },
    ])
  })

  it('prints a row per change for people', async () => {
    const stateDir = join(folder.path, 'table')
    await inBetween(stateDir, async (port) => {
      await port.create([
        { name: 'ecom.platform', partitions: 2, config: { cleanupPolicy: 'delete' } },
      ])
    })
    const { stdout, exitCode } = await millrace(['topics', 'plan', '--state-dir', stateDir])
    expect(exitCode).toBe(3)
    expect(stdout).toMatch(/^raise partitions +ecom\.platform +output +partitions 2 → 6$/m)
    expect(stdout).toMatch(/^change settings +ecom\.platform .*compression\.type producer → lz4$/m)
    expect(stdout).toMatch(/^create +ecom\.dlq +dead letters +partitions=3 replicas=1 /m)
  })

  it('leaves the state of a replica on Kafka alone', async () => {
    const stateDir = join(folder.path, 'replica')
    mkdirSync(stateDir)
    writeFileSync(join(stateDir, 'instance-id'), 'a\n')
    const { exitCode, stderr } = await millrace(['topics', 'apply', '--state-dir', stateDir])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('name its brokers with --bootstrap')
    expect(existsSync(join(stateDir, 'broker'))).toBe(false)
  })
})
