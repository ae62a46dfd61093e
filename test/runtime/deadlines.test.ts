/**
 * Deadlines of the business: they fire when everything written before them was seen, not earlier.
 *
 * The answer to a question may wait in a backlog, behind a fetch, or in an open transaction, while
 * the clock passes the deadline; it must win.
 */

import { expect, test } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { json, keyValueStore, process, stream, to, topic, topology, utf8 } from '../../src/index.ts'
import { hold } from './hold.ts'
import { Site } from './fixture.ts'
import type { Instance } from './instance.ts'

const text = json<string>()
const ticks = topic('ticks', { key: utf8, value: text })
const seen = topic('seen', { key: utf8, value: text })
const startMs = 1_000_000
const deadlineMs = startMs + 5_000
const waiting = keyValueStore('waiting', { key: utf8, value: text })

/** A question expires at the deadline unless it was answered. */
const asking = topology('asking', () => [
  stream(ticks).pipe(
    process(
      'ask',
      { waiting },
      {
        onRecord({ key, value }, stores): readonly string[] {
          if (value === 'question') {
            stores.waiting.put(key, value)
            return []
          }
          const isWaiting = stores.waiting.get(key) !== undefined
          stores.waiting.delete(key)
          return [isWaiting ? 'answered' : 'too late']
        },
        punctuators: {
          expire: {
            everyMs: 100,
            on: 'wallClock',
            *run(_timeMs, stores, context) {
              if (context.caughtUpToMs() < deadlineMs) return
              for (const [key] of stores.waiting.range()) {
                stores.waiting.delete(key)
                yield [key, 'expired'] as const
              }
            },
          },
        },
      },
    ),
    to(seen),
  ),
])

const asked = async (): Promise<{ readonly site: Site; readonly instance: Instance }> => {
  const site = await Site.open({}, new MemoryDisk(), startMs)
  await site.createTopics([ticks, seen])
  const instance = await site.start({ topology: asking })
  await site.send(ticks, 'k', 'question')
  await site.idle()
  return { site, instance }
}

test('does not fire while its answer waits behind a fetch that hangs', async () => {
  const { site } = await asked()
  const fetching = hold()
  site.faults.control('fetch', fetching.wait)
  await site.until(() => fetching.isReached)
  await site.send(ticks, 'k', 'answer')
  await site.until(() => site.clock.nowMs() > deadlineMs + 3_000)
  expect(await site.values(seen)).toEqual([])
  fetching.release()
  await site.until(() => site.clock.nowMs() > deadlineMs + 6_000)
  expect(await site.values(seen)).toEqual(['answered'])
})

test('does not fire for a pause of the instance while the answer came', async () => {
  const { site, instance } = await asked()
  instance.kill()
  await site.send(ticks, 'k', 'answer')
  site.clock.advanceBy(3_600_000)
  await site.start({ topology: asking, disk: instance.disk })
  await site.idle()
  await site.turn(60)
  expect(await site.values(seen)).toEqual(['answered'])
})

test('does not fire while the answer is in a transaction that is still open', async () => {
  const { site } = await asked()
  const producer = site.broker.transactionalProducer({
    transactionalId: 'other',
    transactionTimeoutMs: 900_000,
  })
  await producer.init()
  producer.begin()
  await producer.produce([
    {
      topic: 'ticks',
      partition: 0,
      records: [
        {
          key: utf8.encode('k'),
          value: text.encode('answer'),
          timestampMs: startMs,
          headers: [],
        },
      ],
    },
  ])
  await site.until(() => site.clock.nowMs() > deadlineMs + 3_000)
  expect(await site.values(seen)).toEqual([])
  await producer.commit()
  await site.until(() => site.clock.nowMs() > deadlineMs + 6_000)
  expect(await site.values(seen)).toEqual(['answered'])
})

test('fires when everything before it was seen and there is no answer', async () => {
  const { site } = await asked()
  await site.until(() => site.clock.nowMs() > deadlineMs - 50)
  expect(await site.values(seen)).toEqual([])
  await site.until(() => site.clock.nowMs() > deadlineMs + 1_000)
  expect(await site.values(seen)).toEqual(['expired'])
})
