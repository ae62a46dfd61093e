/** The place in the group: given back in order, kept when disturbed, left when nothing works. */

import { describe, expect, test } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import type { GroupMetadata } from '../../src/broker/port.ts'
import { Prng } from '../../src/testing/prng.ts'
import type { Call } from './call-trace.ts'
import { hold } from './hold.ts'
import type { Site } from './fixture.ts'
import type { Instance } from './instance.ts'
import { entries, sumsOf } from './summing.ts'
import { a, b, expectRounds, keys, open, sendRound, tasksOf } from './replica-rounds.ts'

const down = (): never => {
  throw new BrokerError('BROKER_UNAVAILABLE', 'down')
}

const open2 = async (): Promise<{ site: Site; first: Instance }> => {
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
  site.faults.control('fetch', () => {
    throw new BrokerError('BROKER_UNKNOWN_OUTCOME', 'lost')
  })
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
  await site.until(
    () => first.application.metrics().reopenings + second.application.metrics().reopenings > 0,
  )
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

test('one that fails gives its tasks away at once, and leaves no transaction open', async () => {
  const site = await open()
  const config = { sessionTimeoutMs: 30_000, transactionTimeoutMs: 900_000 }
  const first = await site.start({ ...a, config })
  const second = await site.start({ ...b, config })
  await site.until(() => tasksOf(first, second).join() === '3,2')
  await sendRound(site)
  await site.idle()
  const failedAtMs = site.clock.nowMs()
  site.faults.control('sendOffsets', () => {
    throw new Error('a bug, or a disk that is gone')
  })
  await sendRound(site)
  const isFailed = ({ application }: Instance): boolean => application.state === 'failed'
  await site.until(() => isFailed(first) || isFailed(second))
  await sendRound(site)
  await site.until(() => [...tasksOf(first, second)].sort().join() === '0,5')
  await site.idle()
  expect(site.clock.nowMs() - failedAtMs).toBeLessThan(10_000)
  await expectRounds(site, 3)
})

describe('the order of a revocation', () => {
  test('settle N, join, commit N+1, apply, join: nothing old after the new owner', async () => {
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
    const order = old.calls
      .map(({ name }) => name)
      .filter((name) => ['commit', 'join', 'begin'].includes(name))
    expect(order.slice(0, 6)).toEqual(['begin', 'commit', 'join', 'begin', 'commit', 'join'])
    // the second: it says that the tasks are gone
    const [, join] = old.calls.filter(({ name }) => name === 'join') as [Call, Call]
    const before = old.calls
      .slice(0, old.calls.indexOf(join))
      .filter(({ name }) => name !== 'fetch')
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
