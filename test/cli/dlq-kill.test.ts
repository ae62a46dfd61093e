/**
 * Goal: 10,000 dead letters of three kinds are edited, replayed and discarded without loss or
 * duplicate, also when the command is killed in the middle, again and again.
 *
 * Method: the real command on a state directory. It is killed (SIGKILL) after a random number of
 * commits, which are seen in the witness file of the embedded broker, and run again until it ends.
 * Then every letter must have one fate in the audit, and every replayed record must lie exactly
 * once in the partition it came from. The seed is in the name of the test.
 */

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Broker } from '../../src/broker/port.ts'
import { openEmbeddedBroker } from '../../src/cli/open-broker.ts'
import { Prng } from '../../src/testing/prng.ts'
import { orderCommands, paymentCommands } from '../../topologies/shop/shared/topics.ts'
import {
  command,
  type Kind,
  readAll,
  readAudit,
  type Written,
  writeLetters,
} from '../dlq/letters.ts'
import { type Ended, millrace, startMillrace, temporaryDirectory } from './run-millrace.ts'

const count = 10_000
const seed = 20_261_121
const killsMax = 4
const edited = 5

const folder = temporaryDirectory()
afterAll(() => folder.remove())
const stateDir = join(folder.path, 'state')
const on = ['--state-dir', stateDir, '-o', 'json']
const prng = new Prng(seed)

const withBroker = async <T>(use: (broker: Broker) => Promise<T>): Promise<T> => {
  mkdirSync(stateDir, { recursive: true })
  await using parts = new AsyncDisposableStack()
  return await use(
    await openEmbeddedBroker({ stateDir, stateMemoryBytes: 64 << 20, fsync: false }, parts),
  )
}

const witness = (): string => {
  try {
    return readFileSync(join(stateDir, 'broker-commits'), 'latin1')
  } catch {
    return ''
  }
}

/** Kills it after some commits of its own. @returns undefined if it ended before */
const killed = async (args: readonly string[]): Promise<Ended> => {
  const running = startMillrace(args)
  let hasEnded = false
  void running.ended.then(() => (hasEnded = true))
  const commits = 2 + prng.int(12)
  let last = witness()
  for (let seen = 0; seen < commits && !hasEnded;) {
    await sleep(1)
    const now = witness()
    if (now !== last) seen += 1
    last = now
  }
  running.process.kill('SIGKILL')
  return running.ended
}

const settled = (): Promise<number> =>
  withBroker(
    async (broker) => (await readAudit(broker)).filter(({ what }) => what !== 'edited').length,
  )

/**
 * Runs the command until it ends by itself.
 *
 * @returns how often it was killed with some of its letters done and some not
 */
const throughKills = async (total: number, args: readonly string[]): Promise<number> => {
  const before = await settled()
  let inTheMiddle = 0
  for (let kills = 0; kills < killsMax; kills++) {
    const { signal, exitCode, stderr } = await killed(args)
    if (signal !== 'SIGKILL') {
      expect(exitCode, stderr).toBe(0)
      return inTheMiddle
    }
    const done = (await settled()) - before
    if (done > 0 && done < total) inTheMiddle += 1
  }
  const { exitCode, stderr } = await millrace(args)
  expect(exitCode, stderr).toBe(0)
  return inTheMiddle
}

describe(`10,000 dead letters, seed ${seed}`, { timeout: 600_000 }, () => {
  let letters: readonly Written[] = []
  const of = (kind: Kind): readonly Written[] => letters.filter((letter) => letter.kind === kind)

  beforeAll(async () => {
    letters = await withBroker((broker) => writeLetters(broker, count, Date.now()))
  }, 300_000)

  it('are counted, and a dry run says what would be done and does nothing', async () => {
    const stats = await millrace(['dlq', 'stats', ...on])
    expect(JSON.parse(stats.stdout)).toMatchObject({
      total: { open: count, replayed: 0, discarded: 0 },
      byClass: { poison: { open: 3_334 }, business: { open: 3_333 }, transient: { open: 3_333 } },
    })
    const dry = await millrace(['dlq', 'replay', '--error', 'transient', ...on])
    expect(dry.exitCode, dry.stderr).toBe(3)
    expect(JSON.parse(dry.stdout)).toMatchObject({ isDryRun: true, total: 3_333, refused: [] })
    expect(await withBroker((broker) => readAll(broker, orderCommands.name))).toEqual([])
    expect(await settled()).toBe(0)
  })

  it('replayed and discarded under kills, each has one fate', async () => {
    for (const { id, key } of of('poison').slice(0, edited)) {
      const args = ['dlq', 'edit', id, '--value', command(key), '--raw', ...on]
      const { exitCode, stderr } = await millrace(args)
      expect(exitCode, stderr).toBe(0)
    }
    const replay = ['dlq', 'replay', '--yes', ...on]
    const discard = ['dlq', 'discard', '--reason', 'old', '--yes', ...on]
    const inTheMiddle = [
      await throughKills(3_333, [...replay, '--error', 'transient', '--rate', '4000']),
      await throughKills(3_334, [...replay, '--error', 'poison', '--rate', '4000/s']),
      await throughKills(3_333, [...discard, '--error', 'business']),
    ]
    expect(inTheMiddle.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(2)

    const audit = await withBroker((broker) => readAudit(broker))
    const fates = audit.filter(({ what }) => what !== 'edited')
    expect(fates).toHaveLength(count)
    expect(new Set(fates.map(({ letter }) => letter)).size).toBe(count)
    const discarded = fates.filter(({ what }) => what === 'discarded').map(({ letter }) => letter)
    expect(discarded.toSorted()).toEqual(
      of('business')
        .map(({ id }) => id)
        .toSorted(),
    )

    const found = await withBroker(async (broker) => [
      ...(await readAll(broker, orderCommands.name)),
      ...(await readAll(broker, paymentCommands.name)),
    ])
    const replayed = [...of('transient'), ...of('poison')]
    expect(found).toHaveLength(replayed.length)
    const byLetter = new Map(
      found.map((record) => [record.headers['__millrace.replay-of'], record]),
    )
    expect(byLetter.size).toBe(replayed.length)
    const amended = new Set(
      of('poison')
        .slice(0, edited)
        .map(({ id }) => id),
    )
    const wrong = replayed.filter(({ id, key, value, partition, timestampMs }) => {
      const record = byLetter.get(id)
      const wanted = amended.has(id) ? command(key) : value
      return (
        record?.key !== key
        || record.value !== wanted
        || record.partition !== partition
        || record.timestampMs !== timestampMs
      )
    })
    expect(wrong).toEqual([])
    // nothing is left to do, and all of it is told
    const { exitCode, stdout } = await millrace(['dlq', 'replay', '--all', ...on])
    expect([exitCode, (JSON.parse(stdout) as { total: number }).total]).toEqual([0, 0])
    const stats = await millrace(['dlq', 'stats', ...on])
    expect(JSON.parse(stats.stdout)).toMatchObject({
      total: { open: 0, replayed: 6_667, discarded: 3_333 },
    })
  })
})
