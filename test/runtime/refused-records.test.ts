/**
 * Records that only the broker refuses: the transaction aborts, the replay knows whom to blame.
 */

import { expect, test } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { process, type RuntimeConfig, stream, to, topic, topology, utf8 } from '../../src/index.ts'
import { Site } from './fixture.ts'
import type { Instance } from './instance.ts'
import { entries, summing, sums, sumsOf, sumStore } from './summing.ts'

type Chime = readonly (readonly [key: string, value: number])[]

/** Emits by the clock alone. */
const chiming = topology('chiming', () => [
  stream(entries).pipe(
    process(
      'chime',
      {},
      {
        onRecord: (): readonly number[] => [],
        punctuators: {
          chime: { everyMs: 200, on: 'wallClock', run: (): Chime => [['k', 1]] },
        },
      },
    ),
    to(sums),
  ),
])

const deadLetters = topic('app-dead-letters', { key: utf8, value: utf8 })

const open = async (
  config: Partial<RuntimeConfig> = {},
): Promise<{ readonly site: Site; readonly instance: Instance }> => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  const instance = await site.start({ topology: summing, config })
  await site.idle()
  return { site, instance }
}

/** As if the topic's limit had been lowered after the task was opened. */
const refuse = (site: Site, topicName: string, recordIndex: number): void =>
  site.faults.control('produce', () => {
    throw new BrokerError('BROKER_RECORD_TOO_LARGE', `record of ${topicName} is too large`, {
      topic: topicName,
      partition: 0,
      recordIndex,
    })
  })

/** Three entries in one generation, the second of which makes an output that is refused. */
const sendThree = async (site: Site, topicName = 'sums'): Promise<void> => {
  const value = (text: string) => ({
    key: Buffer.from('k'),
    value: Buffer.from(text),
    timestampMs: site.clock.nowMs(),
    headers: [],
  })
  const records = [value('1'), value('10'), value('100')]
  await site.broker.producer('loader').send([{ topic: 'entries', partition: 0, records }])
  refuse(site, topicName, 1)
}

test('the input that caused it becomes a dead letter, the others are processed once', async () => {
  const {
    site,
    instance: { application },
  } = await open()
  await sendThree(site)
  await site.until(() => application.metrics().counters.deadLetters === 1)
  await site.idle()
  expect(await sumsOf(site)).toEqual([1, 101])
  expect(application.query(sumStore).get('k')).toBe(101)
  const found = await site.read(deadLetters)
  expect(found.map(({ value }) => value)).toEqual(['10'])
  const headers = Object.fromEntries(
    found[0]!.headers.map(({ key, value }) => [key, String(value)]),
  )
  expect(headers).toMatchObject({
    '__millrace.code': 'STREAMS_PRODUCTION',
    '__streams.errors.offset': '1',
  })
  expect(headers['__streams.errors.message']).toContain('too large')
  expect(application.metrics().reopenings).toBe(1)
})

test('with skip it is left out, with fail the instance stops and names it', async () => {
  const skipping = await open({ onProductionError: 'skip' })
  await sendThree(skipping.site)
  await skipping.site.until(() => skipping.instance.application.metrics().counters.skipped === 1)
  await skipping.site.idle()
  expect(await sumsOf(skipping.site)).toEqual([1, 101])
  expect(await skipping.site.read(deadLetters)).toEqual([])

  const {
    site,
    instance: { application },
  } = await open({ onProductionError: 'fail' })
  await sendThree(site)
  await site.until(() => application.state === 'failed')
  await expect(application.stopped).rejects.toThrow('record entries-0@1')
  await expect(application.stopped).rejects.toMatchObject({ code: 'STREAMS_HANDLER_FAILED' })
  expect((await site.committed('entries')).offset).toBe(0n)
})

test('a store row that is too large stops the instance, without a loop', async () => {
  const {
    site,
    instance: { application },
  } = await open()
  await sendThree(site, 'app-sum-changelog')
  refuse(site, 'app-sum-changelog', 0)
  await site.until(() => application.state === 'failed')
  await expect(application.stopped).rejects.toMatchObject({
    code: 'STREAMS_HANDLER_FAILED',
    action: 'stop',
    message: expect.stringMatching(/app-sum-changelog.*raise the limit of the topic/) as string,
  })
  expect(application.metrics().reopenings).toBe(0)
  expect(await sumsOf(site)).toEqual([])
  expect((await site.committed('entries')).offset).toBe(0n)
})

test('an output of a punctuation has no input to blame: the instance stops', async () => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  const { application } = await site.start({ topology: chiming })
  await site.idle()
  await site.send(entries, 'k', 1)
  await site.idle()
  refuse(site, 'sums', 0)
  await site.until(() => application.state === 'failed')
  await expect(application.stopped).rejects.toMatchObject({
    code: 'STREAMS_HANDLER_FAILED',
    message: expect.stringMatching(/sums.*raise the limit of the topic/) as string,
  })
  expect(application.metrics().reopenings).toBe(0)
})

test('a real changelog with a low limit: refused by the broker, nothing is committed', async () => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  await site.broker.topics.create([
    {
      name: 'app-sum-changelog',
      partitions: 1,
      config: { cleanupPolicy: 'compact', maxMessageBytes: 200 },
    },
  ])
  const { application } = await site.start({ topology: summing })
  await site.send(entries, 'k', 1)
  await site.idle()
  await site.send(entries, 'x'.repeat(300), 1)
  await site.until(() => application.state === 'failed')
  await expect(application.stopped).rejects.toThrow('maxMessageBytes')
  expect(await sumsOf(site)).toEqual([1])
  expect((await site.committed('entries')).offset).toBe(1n)
})
