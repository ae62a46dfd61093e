/** Static instances: their place outlives a stop, is taken over by a namesake, and is given up. */

import { expect, test } from 'vitest'
import type { GroupMetadata } from '../../src/broker/port.ts'
import type { Instance } from './instance.ts'
import { a, b, expectRounds, open, sendRound, tasksOf } from './replica-rounds.ts'

const config = { sessionTimeoutMs: 60_000 }
const staticA = { ...a, isStatic: true, config }
const staticB = { ...b, isStatic: true, config }

/** Of the last commit. */
const groupOf = ({ calls }: Instance): GroupMetadata =>
  calls.findLast(({ name }) => name === 'sendOffsets')!.args[1] as GroupMetadata

const joinsOf = ({ calls }: Instance): number => calls.filter(({ name }) => name === 'join').length

const openBoth = async () => {
  const site = await open()
  const first = await site.start(staticA)
  const second = await site.start(staticB)
  await site.until(() => tasksOf(first, second).join() === '3,2')
  await sendRound(site)
  await site.idle()
  return { site, first, second }
}

test('stopped and started again: the same tasks in the same generation', async () => {
  const { site, first, second } = await openBoth()
  const [before, joins] = [groupOf(first), joinsOf(first)]
  await site.settled(second.application.close())
  await sendRound(site)
  const back = await site.start(staticB)
  await site.until(() => tasksOf(first, back).join() === '3,2')
  await site.idle()
  await expectRounds(site, 2)
  expect(groupOf(first)).toEqual(before)
  const { generationId } = before
  expect(groupOf(back)).toMatchObject({ instanceId: 'b', generationId })
  expect([joinsOf(first), joinsOf(back)]).toEqual([joins, 1])
})

test('a second process of the same id takes the place of the first, which stops', async () => {
  const { site, first, second } = await openBoth()
  const stopped = second.application.stopped.catch((error: unknown) => error)
  const successor = await site.start(staticB)
  await sendRound(site)
  expect(await site.settled(stopped)).toMatchObject({ code: 'STREAMS_INSTANCE_ID_IN_USE' })
  await site.until(() => successor.application.state === 'running')
  // in its place before it fences: the other never begins again, which would fence it in turn
  const names = successor.calls.map(({ name }) => name)
  expect(names.indexOf('join')).toBeLessThan(names.indexOf('init'))
  expect(names.indexOf('join')).toBeGreaterThanOrEqual(0)
  const reopenings = [second, successor].map(({ application }) => application.metrics().reopenings)
  expect(reopenings).toEqual([0, 0])
  await site.turn(200)
  await expectRounds(site, 2)
  expect(tasksOf(first, successor)).toEqual([3, 2])
})

test('one that leaves on stop gives its tasks to the others', async () => {
  const site = await open()
  const first = await site.start(staticA)
  const second = await site.start({ ...staticB, leavesOnStop: true })
  await site.until(() => tasksOf(first, second).join() === '3,2')
  await site.settled(second.application.close())
  await site.until(() => tasksOf(first).join() === '5')
  await sendRound(site)
  await site.idle()
  await expectRounds(site, 1)
})

test('one that stops for an error gives its tasks to the others', async () => {
  const { site, first, second } = await openBoth()
  const stopped = second.application.stopped.catch((error: unknown) => error)
  site.faults.control('commit', () => {
    throw new Error('a bug')
  })
  await sendRound(site)
  const isSecond = await Promise.race([
    site.settled(stopped).then(() => true),
    site.settled(first.application.stopped.catch(() => {})).then(() => false),
  ])
  const survivor = isSecond ? first : second
  await site.until(() => tasksOf(survivor).join() === '5')
  await site.idle()
  await expectRounds(site, 2)
})
