/**
 * Time that lasts: stream time, punctuation schedules and deadlines over restarts and backlogs.
 *
 * A restart is a kill, a clean close, or a clean close with the local disk lost.
 */

import { describe, expect, test } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { json, keyValueStore, process, stream, to, topic, topology, utf8 } from '../../src/index.ts'
import { Site } from './fixture.ts'
import type { Instance } from './instance.ts'

const text = json<string>()
const ticks = topic('ticks', { key: utf8, value: text })
const seen = topic('seen', { key: utf8, value: text })
const lastKey = keyValueStore('last-key', { key: utf8, value: text })

/** Says the stream time at each record, and each firing on either time. */
const ticking = topology('ticking', () => [
  stream(ticks).pipe(
    process(
      'tick',
      { lastKey },
      {
        onRecord({ key, value }, stores, context): readonly string[] {
          stores.lastKey.put('last', key)
          return [`${value} at ${context.streamTimeMs()}`]
        },
        punctuators: {
          stream: {
            everyMs: 100,
            on: 'streamTime',
            run: (timeMs, stores) => [[stores.lastKey.get('last')!, `stream ${timeMs}`]],
          },
          wall: {
            everyMs: 10_000,
            on: 'wallClock',
            run: (timeMs, stores) => [[stores.lastKey.get('last') ?? 'k', `wall ${timeMs}`]],
          },
        },
      },
    ),
    to(seen),
  ),
])

const startMs = 1_000_000
type Stop = 'kill' | 'close' | 'close, disk lost'
const stops: readonly Stop[] = ['kill', 'close', 'close, disk lost']

const open = async (): Promise<{ readonly site: Site; readonly instance: Instance }> => {
  const site = await Site.open({}, new MemoryDisk(), startMs)
  await site.createTopics([ticks, seen])
  return { site, instance: await site.start({ topology: ticking }) }
}

/** @returns the next life */
const restart = async (site: Site, { application, disk, kill }: Instance, how: Stop) => {
  if (how !== 'kill') await site.settled(application.close())
  kill()
  const next = how === 'close, disk lost' ? new MemoryDisk() : disk
  return site.start({ topology: ticking, disk: next })
}

const linesOf = async (site: Site, kind: string): Promise<readonly string[]> =>
  (await site.values(seen)).filter((line) => line.includes(kind))

describe.each(stops)('after a restart (%s)', (how) => {
  test('stream time is what it was', async () => {
    const { site, instance } = await open()
    await site.send(ticks, 'k', 'a', { timestampMs: 900_000 })
    await site.idle()
    await restart(site, instance, how)
    await site.send(ticks, 'k', 'late', { timestampMs: 500_000 })
    await site.idle()
    expect(await linesOf(site, 'late')).toEqual(['late at 900000'])
  })

  test('a punctuation on stream time neither repeats nor is forgotten', async () => {
    const { site, instance } = await open()
    const tick = async (timestampMs: number): Promise<void> => {
      await site.send(ticks, 'k', 'x', { timestampMs })
      await site.idle()
    }
    for (const timeMs of [1_000, 1_099, 1_100]) await tick(timeMs) // first firing at 1100
    expect(await linesOf(site, 'stream')).toEqual(['stream 1100'])
    const second = await restart(site, instance, how)
    await tick(1_199) // not due before 1200
    expect(await linesOf(site, 'stream')).toEqual(['stream 1100'])
    await restart(site, second, how)
    await tick(1_205)
    expect(await linesOf(site, 'stream')).toEqual(['stream 1100', 'stream 1205'])
  })

  test('a punctuation on wall-clock time keeps its rhythm; once for a pause', async () => {
    const { site, instance } = await open()
    await site.send(ticks, 'k', 'x')
    await site.idle()
    await site.until(() => site.clock.nowMs() >= startMs + 10_500)
    expect(await linesOf(site, 'wall')).toHaveLength(1)
    const second = await restart(site, instance, how)
    await site.until(() => site.clock.nowMs() >= startMs + 19_500)
    expect(await linesOf(site, 'wall')).toHaveLength(1)
    await site.until(() => site.clock.nowMs() >= startMs + 20_500)
    expect(await linesOf(site, 'wall')).toHaveLength(2)
    const third = await restart(site, second, how)
    if (how === 'kill') third.kill()
    else await site.settled(third.application.close())
    third.kill()
    site.clock.advanceBy(1_000_000) // nobody runs
    await site.start({ topology: ticking, disk: third.disk })
    await site.idle()
    await site.turn(20)
    expect(await linesOf(site, 'wall')).toHaveLength(3)
  })
})

describe('a record ahead of the wall clock', () => {
  const skewMs = 60_000

  test('by more than maxFutureSkewMs: a dead letter that moves no stream time', async () => {
    const site = await Site.open({}, new MemoryDisk(), startMs)
    await site.createTopics([ticks, seen])
    const { application } = await site.start({
      topology: ticking,
      config: { maxFutureSkewMs: skewMs },
    })
    await site.send(ticks, 'k', 'now', { timestampMs: startMs })
    await site.send(ticks, 'k', 'far', { timestampMs: startMs + skewMs + 100_000 })
    await site.send(ticks, 'k', 'next', { timestampMs: startMs + 1 })
    await site.idle()
    expect(await linesOf(site, 'at')).toEqual([`now at ${startMs}`, `next at ${startMs + 1}`])
    expect(await linesOf(site, 'stream')).toEqual([])
    expect(application.metrics().counters.deadLetters).toBe(1)
    const deadLetters = await site.read(topic('app-dead-letters', { key: utf8, value: text }))
    expect(deadLetters.map(({ value }) => value)).toEqual(['far'])
    const code = deadLetters[0]!.headers.find(({ key }) => key === '__millrace.code')!
    expect(String(code.value)).toBe('STREAMS_TIMESTAMP')
  })

  test('by less: processed', async () => {
    const { site } = await open()
    await site.send(ticks, 'k', 'ahead', { timestampMs: startMs + 3_000_000 })
    await site.idle()
    expect(await linesOf(site, 'ahead')).toEqual([`ahead at ${startMs + 3_000_000}`])
  })
})
