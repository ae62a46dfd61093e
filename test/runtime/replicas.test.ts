/**
 * Goal: two instances share the tasks, and no change of hands loses or doubles anything.
 * Method: both run in one process on one broker, each with its own disk; entries flow while one
 * joins, leaves, dies or stalls. The outputs of every key must be those of one uninterrupted run.
 */

import { describe, expect, test } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { type GroupMetadata } from '../../src/broker/port.ts'
import { Prng } from '../../src/testing/prng.ts'
import { hold, type Instance, type InstanceOptions, Site } from './fixture.ts'
import { entries, summing, sums, sumsOf, sumStore } from './summing.ts'

const partitions = 5
const keys = Array.from({ length: 12 }, (_, i) => `key-${i}`)
const topology = summing

const open = async (): Promise<Site> => {
  const site = await Site.open()
  await site.createTopics([entries, sums], partitions)
  return site
}

const tasksOf = (...instances: readonly Instance[]): readonly number[] =>
  instances.map(({ application }) => application.metrics().tasks)

/** One entry of 1 for every key; `rounds` of them leave 1, 2, 3, … per key. */
const sendRound = async (site: Site): Promise<void> => {
  for (const key of keys) {
    await site.send(entries, key, 1)
    await site.turn()
  }
}

const expectRounds = async (site: Site, rounds: number): Promise<void> => {
  const counts = Array.from({ length: rounds }, (_, i) => i + 1)
  for (const key of keys) expect(await sumsOf(site, key), key).toEqual(counts)
}

const a: InstanceOptions = { topology, instanceId: 'a' }
const b: InstanceOptions = { topology, instanceId: 'b' }

test('tasks are shared to ±1, and given back when one leaves', async () => {
  const site = await open()
  const first = await site.start(a)
  expect(tasksOf(first)).toEqual([5])
  const second = await site.start(b)
  await site.until(() => tasksOf(first)[0] === 3)
  expect(tasksOf(first, second)).toEqual([3, 2])
  const third = await site.start({ topology, instanceId: 'c' })
  await site.until(() => tasksOf(first, second, third).join() === '2,2,1')
  await site.settled(second.application.close())
  await site.until(() => tasksOf(first, third).reduce((sum, count) => sum + count) === 5)
  expect([...tasksOf(first, third)].sort()).toEqual([2, 3])
})

test('more instances than tasks: some wait, and step in', async () => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  const first = await site.start(a)
  const second = await site.start(b)
  await site.until(() => first.application.state === 'running')
  expect(tasksOf(first, second)).toEqual([1, 0])
  await site.send(entries, 'k', 1)
  await site.idle()
  first.kill()
  await site.until(() => tasksOf(second)[0] === 1)
  await site.send(entries, 'k', 10)
  await site.idle()
  expect(await sumsOf(site)).toEqual([1, 11])
})

describe('exactly once while entries flow and', () => {
  test('one joins', async () => {
    const site = await open()
    await site.start(a)
    await sendRound(site)
    site.launch(b)
    for (let i = 0; i < 3; i++) await sendRound(site)
    await site.idle()
    await expectRounds(site, 4)
  })

  test('one leaves cleanly', async () => {
    const site = await open()
    await site.start(a)
    const leaver = await site.start(b)
    await sendRound(site)
    const closing = leaver.application.close()
    for (let i = 0; i < 3; i++) await sendRound(site)
    await site.settled(closing)
    await site.idle()
    await expectRounds(site, 4)
    expect(leaver.application.state).toBe('closed')
  })

  test('one dies: its session ends, the other takes over', async () => {
    const site = await open()
    const survivor = await site.start(a)
    const mortal = await site.start(b)
    await sendRound(site)
    mortal.kill()
    for (let i = 0; i < 3; i++) await sendRound(site)
    await site.until(() => tasksOf(survivor)[0] === partitions)
    await site.idle()
    await expectRounds(site, 4)
    const known = [...survivor.application.query(sumStore).range()]
    expect(known.map(([key, sum]) => [key, sum]).sort()).toEqual(keys.map((key) => [key, 4]).sort())
  })

  test('they come and go, on disks that fall behind', async () => {
    const site = await open()
    let first = await site.start(a)
    let second = await site.start(b)
    let rounds = 0
    for (let i = 0; i < 3; i++) {
      await sendRound(site)
      first.kill()
      await sendRound(site)
      const revived = site.launch({ ...a, disk: first.disk })
      await sendRound(site)
      await site.settled(revived.started)
      first = revived
      await site.settled(second.application.close())
      second.kill()
      await sendRound(site)
      second = await site.start({ ...b, disk: second.disk })
      rounds += 4
    }
    await site.idle()
    await expectRounds(site, rounds)
  })

  test('one stalls with a transaction half sent, then goes on: it is fenced', async () => {
    const site = await open()
    const config = { transactionTimeoutMs: 900_000 }
    const zombie = await site.start({ ...a, config })
    await sendRound(site)
    zombie.connection.pause()
    await site.send(entries, keys[0]!, 1)
    await site.turn(10)
    const heir = site.launch({ ...b, config })
    await site.until(() => tasksOf(heir)[0] === partitions)
    for (const key of keys.slice(1)) await site.send(entries, key, 1)
    await site.turn(40)
    zombie.connection.resume()
    await site.turn(40)
    await sendRound(site)
    await site.idle()
    await expectRounds(site, 3)
    expect(zombie.application.metrics().reopenings).toBeGreaterThan(0)
  })
})

describe('the order of a revocation', () => {
  test('settle N, commit N+1, apply, join: nothing old is committed under the new owner',
    async () => {
      const site = await open()
      const old = await site.start(a)
      await sendRound(site)
      await site.idle()
      old.calls.length = 0
      const ending = hold()
      site.faults.control('commit', ending.wait)
      await site.send(entries, keys[0]!, 1)
      await site.until(() => ending.isReached)
      const heir = site.launch(b)
      await site.send(entries, keys[0]!, 1) // N+1, processed over N
      await site.turn(60)
      expect(old.calls.some(({ name }) => name === 'join')).toBe(false)
      expect(heir.application.state).toBe('restoring')
      ending.release()
      await site.settled(heir.started)
      await site.idle()
      const order = old.calls.map(({ name }) => name)
        .filter((name) => ['commit', 'join', 'begin'].includes(name))
      expect(order.slice(0, 5)).toEqual(['begin', 'commit', 'begin', 'commit', 'join'])
      const join = old.calls.find(({ name }) => name === 'join')!
      const before = old.calls.slice(0, old.calls.indexOf(join))
      expect(before.every(({ state }) => state === 'done')).toBe(true)
      expect(await sumsOf(site, keys[0]!)).toEqual([1, 2, 3])
    })

  test('the apply of the last commit is waited for as well', async () => {
    const site = await open()
    const old = await site.start(a)
    const applying = hold()
    old.disk.beforeCommit = applying.wait
    await site.send(entries, keys[0]!, 1)
    await site.until(() => applying.isReached)
    old.calls.length = 0
    const heir = site.launch(b)
    await site.turn(60)
    expect(old.calls.some(({ name }) => name === 'join')).toBe(false)
    old.disk.beforeCommit = undefined
    applying.release()
    await site.settled(heir.started)
    await site.until(() => tasksOf(old, heir).join() === '3,2')
  })
})

const down = (): never => {
  throw new BrokerError('BROKER_UNAVAILABLE', 'down')
}

describe('membership that is disturbed', () => {
  const open2 = async (): Promise<{ site: Site, first: Instance }> => {
    const site = await open()
    return { site, first: await site.start(a) }
  }

  test('a join that fails once is made again: the tasks are shared all the same', async () => {
    const { site, first } = await open2()
    await sendRound(site)
    const second = site.launch(b)
    await site.until(() => second.calls.some(({ name }) => name === 'join'))
    site.faults.control('join', down)
    await site.settled(second.started)
    await site.turn(400)
    expect([...tasksOf(first, second)].sort()).toEqual([2, 3])
    await sendRound(site)
    await site.idle()
    await expectRounds(site, 2)
  })

  test('removed while it reopens: it joins again, though it has nothing to commit', async () => {
    const { site, first } = await open2()
    await sendRound(site)
    await site.idle()
    const group = first.calls.findLast(({ name }) => name === 'sendOffsets')!.args[1]
    for (let i = 0; i < 4; i++) site.faults.control('initProducer', down)
    site.faults.control('fetch', () => { throw new BrokerError('BROKER_UNKNOWN_OUTCOME', 'lost') })
    await site.until(() => first.application.metrics().reopenings > 2)
    await site.broker.groups.leave(group as GroupMetadata)
    await site.until(() => first.application.state === 'running')
    await site.turn(400)
    const second = await site.start(b)
    await site.turn(400)
    expect([...tasksOf(first, second)].sort()).toEqual([2, 3])
  })

  test('fenced by its transactional id: the others do not wait for its session to end', async () => {
    const site = await open()
    const config = { sessionTimeoutMs: 30_000 }
    const first = await site.start({ ...a, config })
    const second = await site.start({ ...b, config })
    await site.until(() => tasksOf(first, second).join() === '3,2')
    const fencedAtMs = site.clock.nowMs()
    site.faults.control('commit', () => {
      throw new BrokerError('BROKER_PRODUCER_FENCED', 'a newer owner')
    })
    await sendRound(site)
    await site.until(() => first.application.metrics().reopenings
      + second.application.metrics().reopenings > 0)
    await site.idle()
    await expectRounds(site, 1)
    expect(site.clock.nowMs() - fencedAtMs).toBeLessThan(10_000)
    expect([...tasksOf(first, second)].sort()).toEqual([2, 3])
  })

  test('a rebalance that nobody asked for costs nothing', async () => {
    const { site, first } = await open2()
    const second = await site.start(b)
    site.faults.random = { prng: new Prng(3), spuriousRebalance: 0.5 }
    for (let i = 0; i < 5; i++) {
      await sendRound(site)
      await site.turn(20)
    }
    site.faults.random = undefined
    await site.turn(20)
    const joins = first.calls.filter(({ name }) => name === 'join').length
    expect(joins).toBeGreaterThan(3)
    await site.idle()
    await expectRounds(site, 5)
    expect([...tasksOf(first, second)].sort()).toEqual([2, 3])
  })
})
