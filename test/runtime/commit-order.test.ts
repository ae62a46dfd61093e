/** Order and content of transactions: what is sent when, and that nothing goes without offsets. */

import { expect, test } from 'vitest'
import {
  effect,
  json,
  keyValueStore,
  outboxStore,
  process,
  stream,
  to,
  topic,
  topology,
  utf8,
  mapValues,
} from '../../src/index.ts'
import type { CommittedOffset, GroupMetadata } from '../../src/broker/port.ts'
import type { Call } from './call-trace.ts'
import { hold } from './hold.ts'
import { Site } from './fixture.ts'
import { entries, summing, sumsOf } from './summing.ts'

const number = json<number>()
const notes = topic('notes', { key: utf8, value: number })
const answers = topic('answers', { key: utf8, value: number })
const pending = keyValueStore('pending', { key: utf8, value: number })
const calls = outboxStore('calls', { key: utf8, value: number })

/** Writes without input: a punctuation on wall-clock time, and answers of an external call. */
const noting = topology('noting', () => {
  const entries$ = stream(entries)
  return [
    entries$.pipe(
      process(
        'note',
        { pending },
        {
          onRecord({ key, value }, stores): readonly number[] {
            stores.pending.put(key, value)
            return []
          },
          punctuators: {
            note: {
              everyMs: 200,
              on: 'wallClock',
              *run(_timeMs, stores) {
                for (const [key, value] of stores.pending.range()) {
                  stores.pending.delete(key)
                  yield [key, value] as const
                }
              },
            },
          },
        },
      ),
      to(notes),
    ),
    entries$.pipe(
      effect(calls, async (value) => value * 2),
      mapValues((result) => (result.kind === 'done' ? result.value : -1)),
      to(answers),
    ),
  ]
})

/** What each ended transaction of these calls said about offsets; undefined if nothing. */
const offsetsOf = (
  made: readonly Call[],
): readonly (readonly [readonly CommittedOffset[], GroupMetadata] | undefined)[] => {
  const transactions: (readonly [readonly CommittedOffset[], GroupMetadata] | undefined)[] = []
  let offsets: readonly [readonly CommittedOffset[], GroupMetadata] | undefined
  for (const { name, args } of made) {
    if (name === 'begin') offsets = undefined
    if (name === 'sendOffsets') offsets = args as never
    if (name === 'commit') transactions.push(offsets)
  }
  return transactions
}

test('N+1 is not sent before N is applied, nor N applied before it ended', async () => {
  const site = await Site.open()
  await site.createTopics([entries, { name: 'sums' }])
  const { application, disk, calls: made } = await site.start({ topology: summing })
  await site.idle()
  made.length = 0
  const ending = hold()
  const applying = hold()
  site.faults.control('commit', ending.wait)
  disk.beforeCommit = applying.wait
  await site.send(entries, 'k', 1)
  await site.until(() => ending.isReached)
  await site.send(entries, 'k', 10)
  await site.turn(60)
  expect(application.metrics().counters.recordsProcessed).toBe(2)
  expect(applying.isReached).toBe(false)
  ending.release()
  await site.until(() => applying.isReached)
  await site.turn(60)
  const sent = (): string[] =>
    made
      .map(({ name }) => name)
      .filter((name) => ['begin', 'produce', 'sendOffsets', 'commit'].includes(name))
  expect(sent()).toEqual(['begin', 'produce', 'sendOffsets', 'commit'])
  disk.beforeCommit = undefined
  applying.release()
  await site.idle()
  expect(sent()).toHaveLength(8)
  expect(await sumsOf(site)).toEqual([1, 11])
})

test('every transaction carries offsets and generation, moved or not', async () => {
  const site = await Site.open()
  await site.createTopics([entries, notes, answers])
  const { application, calls: made } = await site.start({ topology: noting })
  await site.send(entries, 'k', 7)
  await site.idle()
  await site.turn(60)
  expect(await site.values(notes)).toEqual([7])
  expect(await site.values(answers)).toEqual([14])
  const transactions = offsetsOf(made)
  // the start position, the record, the answer of the call, the punctuation
  expect(transactions.length).toBeGreaterThanOrEqual(4)
  expect(application.metrics().commits).toBe(transactions.length)
  for (const transaction of transactions) {
    const [offsets, group] = transaction!
    expect(offsets.map(({ topic: name, partition }) => [name, partition])).toEqual([['entries', 0]])
    expect(group).toMatchObject({ groupId: 'app', generationId: 1 })
    expect(group.memberId).not.toBe('')
  }
  expect(transactions.slice(-2).map((transaction) => transaction![0][0]!.offset)).toEqual([1n, 1n])
})

test('offsets carry the generation current when they are sent', async () => {
  const site = await Site.open()
  await site.createTopics([entries, { name: 'sums' }], 2)
  const a = await site.start({ topology: summing, instanceId: 'a' })
  await site.send(entries, 'k', 1)
  await site.idle()
  await site.start({ topology: summing, instanceId: 'b' })
  await site.idle()
  a.calls.length = 0
  for (const key of ['a', 'b', 'c', 'd']) await site.send(entries, key, 1)
  await site.idle()
  const generations = offsetsOf(a.calls).map((transaction) => transaction![1].generationId)
  expect(generations.length).toBeGreaterThan(0)
  // 2: b joined and waited for its share; 3: a had given it up
  expect(new Set(generations)).toEqual(new Set([3]))
})

test('at the first assignment the start position is committed, though no record came', async () => {
  const site = await Site.open()
  await site.createTopics([entries, { name: 'sums' }], 2)
  for (const value of [1, 2, 3]) await site.send(entries, 'k', value)
  const { highWatermark } = await site.broker.topics.offsets({ topic: 'entries', partition: 0 })
  const partition = highWatermark === 3n ? 0 : 1
  await site.broker.topics.purge({ topic: 'entries', partition }, 3n)
  const { kill } = await site.start({ topology: summing })
  await site.turn(20)
  expect((await site.committed('entries', partition)).offset).toBe(3n)
  expect((await site.committed('entries', 1 - partition)).offset).toBe(0n)
  kill()
  await site.broker.topics.purge({ topic: 'entries', partition }, 3n)
  await site.send(entries, 'k', 4) // written while nobody runs: the start of the log is not asked
  await site.start({ topology: summing })
  await site.idle()
  expect(await sumsOf(site)).toEqual([4])
})

test('records deleted unread stop the instance: no silent reset', async () => {
  const site = await Site.open()
  await site.createTopics([entries, { name: 'sums' }])
  const first = await site.start({ topology: summing })
  await site.send(entries, 'k', 1)
  await site.idle()
  first.kill()
  for (const value of [2, 3, 4]) await site.send(entries, 'k', value)
  await site.broker.topics.purge({ topic: 'entries', partition: 0 }, 3n)
  const { application } = site.launch({ topology: summing, disk: first.disk })
  await site.until(() => application.state === 'failed')
  await expect(application.stopped).rejects.toMatchObject({
    code: 'BROKER_OFFSET_OUT_OF_RANGE',
    action: 'stop',
  })
  expect(await sumsOf(site)).toEqual([1])
  expect((await site.committed('entries')).offset).toBe(1n)
})
