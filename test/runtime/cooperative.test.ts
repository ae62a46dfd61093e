/**
 * Goal: tasks that stay are not touched by a rebalance, and those that move are never in two
 * places. Method: instances on one embedded broker; what each asks of it is written down.
 */

import { expect, test } from 'vitest'
import { partitionOf } from '../../src/broker/partitioner.ts'
import type { CommittedOffset } from '../../src/broker/port.ts'
import { Prng } from '../../src/testing/prng.ts'
import type { Call } from './call-trace.ts'
import type { Site } from './fixture.ts'
import { hold } from './hold.ts'
import type { Instance } from './instance.ts'
import { entries, sumsOf, sumStore } from './summing.ts'
import { a, b, expectRounds, keys, open, partitions, sendRound, tasksOf } from './replica-rounds.ts'

/** Partitions whose committed offsets were asked for: those of tasks that were opened. */
const openedBy = ({ calls }: Instance): readonly number[] =>
  calls
    .filter(({ name }) => name === 'committedOffsets')
    .flatMap(({ args }) =>
      (args[1] as readonly CommittedOffset[]).map(({ partition }) => partition),
    )

const shared = (site: Site, ...instances: readonly Instance[]): Promise<void> =>
  site.until(() => {
    const counts = tasksOf(...instances)
    const [sum, spread] = [
      counts.reduce((total, count) => total + count),
      Math.max(...counts) - Math.min(...counts),
    ]
    return sum === partitions && spread <= 1
  })

test('tasks that stay are neither closed nor opened when others come and go', async () => {
  const site = await open()
  const first = await site.start(a)
  await sendRound(site)
  expect(openedBy(first)).toHaveLength(partitions)
  first.calls.length = 0
  const second = await site.start(b)
  await shared(site, first, second)
  await sendRound(site)
  await site.idle()
  expect(openedBy(first)).toEqual([])
  expect(openedBy(second)).toHaveLength(2)
  expect(first.application.metrics().reopenings).toBe(0)
  await site.settled(second.application.close())
  await shared(site, first)
  await site.idle()
  // the two that came back, once each
  expect([...openedBy(first)].sort()).toEqual([...openedBy(second)].sort())
  await expectRounds(site, 2)
})

test('records are processed while a rebalance waits, and committed after it', async () => {
  const site = await open()
  const first = await site.start({ ...a, config: { sessionTimeoutMs: 30_000 } })
  const second = await site.start({ ...b, config: { sessionTimeoutMs: 30_000 } })
  await shared(site, first, second)
  await site.idle()
  second.connection.pause()
  site.launch({ ...a, instanceId: 'c' })
  await site.until(() => first.calls.findLast(({ name }) => name === 'join')?.state === 'called')
  const { recordsProcessed } = first.application.metrics().counters
  first.calls.length = 0
  await sendRound(site)
  await site.turn(20)
  expect(first.application.metrics().counters.recordsProcessed).toBeGreaterThan(recordsProcessed)
  expect(first.application.state).toBe('running')
  expect(first.calls.some(({ name }) => name === 'begin')).toBe(false)
  second.connection.resume()
  await site.idle()
  await expectRounds(site, 1)
})

/** Calls of a commit that were in flight together with a join. */
const overlaps = (calls: readonly Call[]): readonly string[] => {
  const found: string[] = []
  let isJoining = false
  for (const { name, state } of calls) {
    if (name === 'join') isJoining = state === 'called'
    else if (isJoining && ['begin', 'sendOffsets', 'commit'].includes(name)) found.push(name)
  }
  return found
}

test('no commit is sent while a join is, and no join while a commit is', async () => {
  const site = await open()
  const first = await site.start(a)
  const ending = hold()
  site.faults.control('commit', ending.wait)
  await site.send(entries, keys[0]!, 1)
  await site.until(() => ending.isReached)
  first.calls.length = 0
  const second = site.launch(b)
  await site.turn(60)
  expect(first.calls.some(({ name }) => name === 'join')).toBe(false)
  const joining = hold()
  site.faults.control('join', joining.wait)
  ending.release()
  await site.until(() => joining.isReached)
  await site.send(entries, keys[0]!, 1)
  await site.turn(60)
  expect(overlaps(first.calls)).toEqual([])
  joining.release()
  await site.settled(second.started)
  await site.idle()
  expect(await sumsOf(site, keys[0]!)).toEqual([1, 2])
})

/** Entries for the partitions of one instance only, whose tasks were opened once. */
const sendTo = async (site: Site, instance: Instance): Promise<readonly string[]> => {
  const own = new Set(openedBy(instance))
  const chosen = keys.filter((key) => own.has(partitionOf(entries.key.encode(key), partitions)))
  for (const key of chosen) await site.send(entries, key, 1)
  return chosen
}

test('a vanished member is fenced: its transaction is not waited for', async () => {
  const site = await open()
  const config = { transactionTimeoutMs: 900_000 }
  const survivor = await site.start({ ...a, config })
  const mortal = await site.start({ ...b, config })
  await shared(site, survivor, mortal)
  await site.idle()
  const ending = hold()
  site.faults.control('commit', ending.wait)
  const hit = await sendTo(site, mortal)
  await site.until(() => ending.isReached)
  const diedAtMs = site.clock.nowMs()
  mortal.kill() // outputs, changelog and offsets are sent, the end is not
  await site.until(() => tasksOf(survivor)[0] === partitions)
  await site.idle()
  expect(site.clock.nowMs() - diedAtMs).toBeLessThan(10_000)
  expect(hit.length).toBeGreaterThan(0)
  for (const key of hit) expect(await sumsOf(site, key)).toEqual([1])
})

test('a task taken away while it is restored ends its restore, the rest goes on', async () => {
  const site = await open()
  const first = await site.start(a)
  for (let i = 0; i < 3; i++) await sendRound(site)
  await site.idle()
  await site.settled(first.application.close())
  const restoring = hold()
  site.faults.control('fetch', restoring.wait)
  const heir = site.launch(b)
  await site.until(() => restoring.isReached)
  expect(heir.application.metrics()).toMatchObject({ tasks: 0, openingTasks: partitions })
  const third = site.launch({ ...a, instanceId: 'c' })
  const joins = () => heir.calls.filter(({ name, state }) => name === 'join' && state === 'done')
  await site.until(() => joins().length === 2)
  expect(tasksOf(heir, third)).toEqual([0, 0])
  restoring.release()
  await shared(site, heir, third)
  await sendRound(site)
  await site.idle()
  await expectRounds(site, 4)
  expect(heir.application.metrics().reopenings).toBe(0)
})

test('while a task is opened the others go on, and the instance runs', async () => {
  const site = await open()
  const first = await site.start(a)
  const second = await site.start(b)
  await shared(site, first, second)
  await sendRound(site)
  await site.idle()
  const opening = hold()
  site.faults.control('committedOffsets', opening.wait)
  second.kill()
  await site.until(() => opening.isReached)
  const { commits } = first.application.metrics()
  await sendRound(site)
  await site.turn(20)
  expect(first.application.metrics()).toMatchObject({ state: 'running', openingTasks: 2, tasks: 3 })
  expect(first.application.metrics().commits).toBeGreaterThan(commits)
  const [query, lost] = [first.application.query(sumStore), new Set(openedBy(second))]
  for (const key of keys) {
    // what runs answers; what is not open yet is not said to be absent
    if (!lost.has(partitionOf(entries.key.encode(key), partitions))) expect(query.get(key)).toBe(2)
    else expect(() => query.get(key)).toThrow('is not open here')
  }
  expect(() => [...query.range()]).toThrow('is not open here')
  opening.release()
  await site.until(() => tasksOf(first)[0] === partitions)
  await site.idle()
  await expectRounds(site, 2)
})

test('rebalances without a reason, at any moment, lose and double nothing', async () => {
  for (let seed = 0; seed < 5; seed++) {
    const site = await open()
    const instances = [await site.start(a), site.launch(b), site.launch({ ...a, instanceId: 'c' })]
    site.faults.random = { prng: new Prng(seed), spuriousRebalance: 0.4 }
    for (let i = 0; i < 3; i++) await sendRound(site)
    site.faults.random = undefined
    await shared(site, ...instances)
    await site.idle()
    await expectRounds(site, 3)
    for (const { calls } of instances) expect(overlaps(calls)).toEqual([])
    await site.end()
  }
})
