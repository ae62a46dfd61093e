/**
 * A changelog that is deleted and made again while the application runs lacks rows that the local
 * store has: nothing is committed into it, and nothing is wiped because of it.
 */

import { expect, test } from 'vitest'
import { Site } from './fixture.ts'
import type { Instance } from './instance.ts'
import { entries, sumChangelog, summing, sums, sumsOf } from './summing.ts'

const open = async (): Promise<{ site: Site; instance: Instance }> => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  const instance = await site.start({ topology: summing, instanceId: 'a' })
  for (const value of [1, 10, 100]) await site.send(entries, 'k', value)
  await site.idle()
  return { site, instance }
}

const makeAgain = async ({ broker: { topics } }: Site, name: string): Promise<void> => {
  const before = (await topics.describe([name])).get(name)!
  await topics.delete([name])
  await topics.create([before])
}

const failureOf = async (site: Site, { application }: Instance): Promise<unknown> => {
  await site.until(() => application.state === 'failed')
  return application.stopped.then(
    () => undefined,
    (error: unknown) => error,
  )
}

test('the transaction that would be its first is not committed', async () => {
  const { site, instance } = await open()
  await makeAgain(site, sumChangelog.topic)
  await site.send(entries, 'k', 1_000)
  expect(await failureOf(site, instance)).toMatchObject({
    code: 'STREAMS_STATE_MISMATCH',
    message: expect.stringContaining(sumChangelog.topic) as string,
  })
  expect((await site.committed('entries')).offset).toBe(3n)
  expect(await sumsOf(site)).toEqual([1, 11, 111])
})

test('tasks that reopen are refused, and keep their rows', async () => {
  const { site, instance } = await open()
  const before = new Map(instance.disk.rows)
  await makeAgain(site, sumChangelog.topic)
  const options = { transactionalId: 'app-a', transactionTimeoutMs: 10_000 }
  await site.broker.transactionalProducer(options).init() // fences, so that its tasks reopen
  await site.send(entries, 'k', 1_000)
  expect(await failureOf(site, instance)).toMatchObject({ code: 'STREAMS_STATE_MISMATCH' })
  expect(instance.disk.rows).toEqual(before)
})
