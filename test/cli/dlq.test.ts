/**
 * Goal: `millrace dlq` says by its exit code what it did, works on a running shop as on its files,
 * and counts how often a record failed again.
 *
 * Method: the real command. A shop gets commands that it must refuse; its dead letters are replayed
 * while it runs, and come back.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { openEmbeddedBroker } from '../../src/cli/open-broker.ts'
import { createShopTopics } from '../../src/cli/shop-topics.ts'
import type { LetterView } from '../../src/dlq/dead-letter-access.ts'
import { orderCommands } from '../../topologies/shop/shared/topics.ts'
import { command, writeLetters } from '../dlq/letters.ts'
import type { Broker } from '../../src/broker/port.ts'
import { millrace, startMillrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

const withBroker = async <T>(stateDir: string, use: (broker: Broker) => Promise<T>): Promise<T> => {
  mkdirSync(stateDir, { recursive: true })
  await using parts = new AsyncDisposableStack()
  return await use(
    await openEmbeddedBroker({ stateDir, stateMemoryBytes: 64 << 20, fsync: false }, parts),
  )
}

const dlqOf =
  (stateDir: string) =>
  async (...args: readonly string[]) => {
    const ended = await millrace(['dlq', ...args, '--state-dir', stateDir, '-o', 'json'])
    const json: unknown = ended.stdout === '' ? undefined : JSON.parse(ended.stdout)
    return { ...ended, json: json as Readonly<Record<string, unknown>> }
  }

describe('millrace dlq on files', { timeout: 300_000 }, () => {
  const stateDir = join(folder.path, 'files')
  const dlq = dlqOf(stateDir)

  it('has an exit code for each end', async () => {
    const nothing = await millrace(['dlq', 'list', '--state-dir', join(folder.path, 'none')])
    expect([nothing.exitCode, nothing.stderr]).toMatchObject([
      1,
      expect.stringContaining('there is no state in'),
    ])
    const letters = await withBroker(stateDir, (broker) => writeLetters(broker, 6, Date.now()))
    const [id] = letters.map((letter) => letter.id)
    for (const [args, reason] of [
      [['replay'], 'which letters?'],
      [['list', '--since', 'soon'], '--since: "soon" is neither'],
      [['edit', id!, '--value', 'a', '--value-file', 'b'], 'give one of them'],
    ] as const) {
      const { exitCode, stderr } = await dlq(...args)
      expect([exitCode, stderr], args.join(' ')).toMatchObject([2, expect.stringContaining(reason)])
    }
    expect((await dlq('show', 'ecom.dlq-0-77')).exitCode).toBe(1)
    expect((await dlq('edit', id!, '--value', '{ no')).exitCode).toBe(4)
    expect((await dlq('replay', '--all')).exitCode).toBe(3)
    const { exitCode, json, stderr } = await dlq('replay', id!, 'ecom.dlq-1-9', '--yes')
    expect(exitCode).toBe(4)
    expect(json).toMatchObject({ total: 1, refused: [{ id: 'ecom.dlq-1-9' }] })
    expect(stderr).toContain('refused ecom.dlq-1-9: there is no such dead letter')
    expect((await dlq('replay', id!)).exitCode).toBe(4)
    expect((await dlq('discard', '--all', '--reason', 'x', '--yes')).json).toMatchObject({
      total: 5,
    })
    expect((await dlq('replay', '--all', '--yes')).exitCode).toBe(0)
    const file = join(folder.path, 'value.json')
    writeFileSync(file, command('order-0'))
    const late = await dlq('edit', id!, '--value-file', file)
    expect([late.exitCode, late.stderr]).toMatchObject([4, expect.stringContaining('is replayed')])
  })
})

describe('millrace dlq on a running shop', { timeout: 300_000 }, () => {
  it('replays into it; what fails again says how often, and is refused in the end', async () => {
    const stateDir = join(folder.path, 'running')
    const dlq = dlqOf(stateDir)
    const openOnes = async (): Promise<readonly LetterView[]> =>
      (await dlq('list')).json['letters'] as readonly LetterView[]
    const newOne = async (): Promise<LetterView> => {
      for (let tries = 0; tries < 50; tries++) {
        const [letter] = await openOnes()
        if (letter !== undefined) return letter
        await sleep(100)
      }
      throw new Error('no dead letter came')
    }
    await withBroker(stateDir, async (broker) => {
      await createShopTopics(broker)
      const producer = broker.producer('bad')
      const [key, value] = [Buffer.from('nobody'), Buffer.from(command('nobody'))]
      const record = { timestampMs: Date.now(), key, value, headers: [] }
      await producer.send([{ topic: orderCommands.name, partition: 3, records: [record] }])
    })
    const running = startMillrace(['run', '--port', '0', '--state-dir', stateDir])
    const [address] = await running.waitFor(/http:\/\/127\.0\.0\.1:\d+/)
    const openMetric = async (): Promise<string> => {
      const text = await (await fetch(`${address}/metrics`)).text()
      return /^millrace_dead_letters_open\{.*$/m.exec(text)?.[0] ?? 'none'
    }
    const first = await newOne()
    expect(first).toMatchObject({ class: 'business', cause: 'ORDER_UNKNOWN', replays: 0 })
    expect(await openMetric()).toBe(
      `millrace_dead_letters_open{topic="${orderCommands.name}",class="business"} 1`,
    )
    expect((await dlq('replay', first.id, '--yes')).json).toMatchObject({ total: 1 })
    const second = await newOne()
    expect(second).toMatchObject({ replays: 1, first: first.id })
    expect(second.source).toMatch(new RegExp(`^${orderCommands.name}-3@`))
    const refused = await dlq('replay', '--all', '--yes', '--max-attempts', '1')
    expect([refused.exitCode, refused.stderr]).toMatchObject([
      4,
      expect.stringContaining(`replayed 1 times already (first ${first.id}): --force`),
    ])
    const forced = await dlq('replay', '--all', '--yes', '--max-attempts', '1', '--force')
    expect(forced.exitCode).toBe(0)
    const third = await newOne()
    expect(third).toMatchObject({ replays: 2, first: first.id })
    const bad = await dlq('edit', third.id, '--value', '{}')
    expect([bad.exitCode, bad.stderr]).toMatchObject([4, expect.stringContaining('does not take')])
    expect((await dlq('edit', third.id, '--value', command('x'))).exitCode).toBe(0)
    expect((await dlq('discard', third.id, '--reason', 'no order', '--yes')).exitCode).toBe(0)
    expect((await dlq('show', third.id)).json).toMatchObject({
      status: 'discarded',
      isEdited: true,
      audit: [{ what: 'edited' }, { what: 'discarded', reason: 'no order' }],
    })
    expect((await dlq('stats')).json).toMatchObject({
      total: { open: 0, replayed: 2, discarded: 1 },
    })
    expect((await dlq('show', 'ecom.dlq-0-99')).exitCode).toBe(1)
    expect(await openMetric()).toBe('none')
    running.process.kill('SIGTERM')
    await running.ended
  })
})
