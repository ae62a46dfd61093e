/**
 * Goal: two instances share the tasks, and no change of hands loses or doubles anything.
 * Method: both run in one process on one broker, each with its own disk; entries flow while one
 * joins, leaves, dies or stalls. The outputs of every key must be those of one uninterrupted run.
 */

import { describe, expect, test } from 'vitest'
import { Site } from './fixture.ts'
import { entries, sums, sumsOf, sumStore } from './summing.ts'
import {
  a,
  b,
  expectRounds,
  keys,
  open,
  partitions,
  sendRound,
  tasksOf,
  topology,
} from './replica-rounds.ts'

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
