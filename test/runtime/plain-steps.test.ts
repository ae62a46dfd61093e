/**
 * Plain RxJS steps that emit late: refused before their input is committed, so that nothing is
 * lost when the topology is mended.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import {
  config,
  delay,
  map,
  mergeMap,
  type OperatorFunction,
  switchMap,
  throwError,
  timer,
} from 'rxjs'
import {
  type Application,
  stream,
  systemClock,
  type StreamRecord,
  to,
  topology,
} from '../../src/index.ts'
import { Site } from './fixture.ts'
import { entries, sums, sumsOf } from './summing.ts'

type Entry = StreamRecord<string, number>
type Step = OperatorFunction<Entry, Entry>

const through = (step: Step) => topology('through', () => [stream(entries).pipe(step, to(sums))])

/** RxJS's timers are real ones, so those of the instance are real as well. */
const real = { clock: systemClock, config: { sessionTimeoutMs: 600_000 } } as const

const untilFailed = async (site: Site, application: Application): Promise<void> => {
  for (let turn = 0; turn < 100 && application.state !== 'failed'; turn++) {
    await sleep(1)
    await site.turn()
  }
  expect(application.state).toBe('failed')
}

const mended = through(map((record) => record.withValue(record.value)))

test.each<readonly [string, Step]>([
  ['delay(0)', delay(0)],
  ['a promise', mergeMap(async (record) => record)],
  [
    'a promise that is rejected',
    mergeMap(async () => {
      throw new Error('late boom')
    }),
  ],
  [
    'a promise after some turns',
    mergeMap(async (record) => {
      for (let i = 0; i < 20; i++) await undefined
      return record
    }),
  ],
  ['switchMap to a timer', switchMap((record) => timer(0).pipe(map(() => record)))],
])('%s: the application fails, and the input is processed after the repair', async (_, step) => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  const { application, disk, kill } = await site.start({ topology: through(step), ...real })
  await site.idle()
  await site.send(entries, 'k', 1)
  await untilFailed(site, application)
  await expect(application.stopped).rejects.toMatchObject({
    code: 'STREAMS_ASYNC_EMISSION',
    action: 'stop',
  })
  expect((await site.committed('entries')).offset).toBe(0n)
  expect(await sumsOf(site)).toEqual([])
  kill()
  await site.start({ topology: mended, disk })
  await site.idle()
  expect(await sumsOf(site)).toEqual([1])
})

test('an emission after the commit stops the application as well', async () => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  const { application } = await site.start({ topology: through(delay(10)), ...real })
  await site.send(entries, 'k', 1)
  await untilFailed(site, application)
  await expect(application.stopped).rejects.toMatchObject({ code: 'STREAMS_ASYNC_EMISSION' })
  expect(await sumsOf(site)).toEqual([])
})

test('synchronous steps cost nothing but a macrotask, and go through', async () => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  const { application } = await site.start({ topology: mended })
  for (const value of [1, 2, 3]) await site.send(entries, 'k', value)
  await site.idle()
  await site.settled(application.close())
  expect(await sumsOf(site)).toEqual([1, 2, 3])
})

test('the fault of one application does not reach another one of the same process', async () => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  const late = await site.start({ topology: through(delay(0)), applicationId: 'late', ...real })
  const sound = await site.start({ topology: mended, applicationId: 'sound' })
  await site.send(entries, 'k', 1)
  await untilFailed(site, late.application)
  await site.turn(20)
  expect([late.application.state, sound.application.state]).toEqual(['failed', 'running'])
  expect(await sumsOf(site)).toEqual([1])
})

test('an error that nobody handles inside RxJS fails whoever runs, before the commit', async () => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  const careless = through(
    map((record) => {
      throwError(() => new Error('nobody handles this')).subscribe()
      return record
    }),
  )
  const first = await site.start({ topology: careless, instanceId: 'a', ...real })
  const second = await site.start({ topology: mended, applicationId: 'sound' })
  await site.send(entries, 'k', 1)
  await untilFailed(site, first.application)
  await expect(first.application.stopped).rejects.toThrow('nobody handles this')
  expect((await site.committed('entries')).offset).toBe(0n)
  await untilFailed(site, second.application) // whose step it was, nobody can say
  expect(config.onUnhandledError).toBe(null)
})
