/** States of an application: every way in and out, and calls that come at the wrong moment. */

import { expect, test } from 'vitest'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { BrokerError } from '../../src/broker/errors.ts'
import { Application, type ApplicationState, keyValueStore, utf8 } from '../../src/index.ts'
import { hold } from './hold.ts'
import { Site } from './fixture.ts'
import { entries, summing, sums, sumsOf } from './summing.ts'

const open = async (): Promise<Site> => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  return site
}

/** Not started. */
const newApplication = (site: Site): Application =>
  new Application({
    applicationId: 'app',
    topology: summing,
    broker: site.broker,
    clock: site.clock,
    engine: MemoryEngine.create(),
  })

const statesOf = (application: Application): ApplicationState[] => {
  const states: ApplicationState[] = [application.state]
  application.onStateChange((state) => states.push(state))
  return states
}

test('created → starting → restoring → running → stopping → closed', async () => {
  const site = await open()
  const application = newApplication(site)
  const states = statesOf(application)
  await site.settled(application.start())
  await site.settled(application.close())
  expect(states).toEqual(['created', 'starting', 'restoring', 'running', 'stopping', 'closed'])
  await application.stopped
})

test('a reopening is restoring until its tasks run again, also while it waits', async () => {
  const site = await open()
  const application = newApplication(site)
  await site.settled(application.start())
  const states = statesOf(application)
  for (let i = 0; i < 4; i++) {
    site.faults.control('commit', () => {
      throw new BrokerError('BROKER_UNAVAILABLE', 'down')
    })
  }
  await site.send(entries, 'k', 1)
  await site.until(() => application.metrics().reopenings === 4)
  await site.turn(4)
  expect([application.state, application.metrics().tasks]).toEqual(['restoring', 0])
  expect(() => application.query(unknownStore).partitions()).toThrow('ask again')
  await site.until(() => application.state === 'running')
  expect(states.slice(0, 3)).toEqual(['running', 'restoring', 'running'])
  await site.turn(20)
  expect(await sumsOf(site)).toEqual([1])
  await site.settled(application.close())
})

const unknownStore = keyValueStore('sum', { key: utf8, value: utf8 })

test('a second start is refused, whatever the state, and disturbs nothing', async () => {
  const site = await open()
  const application = newApplication(site)
  const starting = application.start()
  const refused = { code: 'STREAMS_CLOSED', message: expect.stringContaining('starts once') }
  await expect(application.start()).rejects.toMatchObject(refused)
  await site.settled(starting)
  await expect(application.start()).rejects.toMatchObject(refused)
  await site.send(entries, 'k', 1)
  await site.turn(20)
  expect(await sumsOf(site)).toEqual([1])
  await site.settled(application.close())
  await expect(application.start()).rejects.toMatchObject(refused)
  expect(application.state).toBe('closed')
})

test('close is idempotent: twice, at the same time, before start, after a failure', async () => {
  const site = await open()
  const application = newApplication(site)
  await site.settled(application.start())
  await site.settled(Promise.all([application.close(), application.close()]))
  await application.close()
  expect(application.state).toBe('closed')

  const unstarted = newApplication(site)
  await unstarted.close()
  expect(unstarted.state).toBe('closed')
  await expect(unstarted.start()).rejects.toMatchObject({ code: 'STREAMS_CLOSED' })

  await site.broker.topics.delete(['sums'])
  const failed = newApplication(site)
  await expect(site.settled(failed.start())).rejects.toMatchObject({
    code: 'STREAMS_MISSING_TOPIC',
  })
  await failed.close()
  expect(failed.state).toBe('failed')
})

test.each([0, 1, 2, 3, 5, 8])('closed %i turns after start was called: it ends', async (turns) => {
  const site = await open()
  const application = newApplication(site)
  const starting = application.start().catch((error: unknown) => error)
  await site.turn(turns)
  const closing = application.close()
  await site.settled(closing)
  expect(application.state).toBe('closed')
  await site.settled(starting)
  const next = newApplication(site) // the group does not wait for the closed one
  const beforeMs = site.clock.nowMs()
  await site.settled(next.start())
  expect(site.clock.nowMs() - beforeMs).toBeLessThan(1_000)
  await site.settled(next.close())
})

test('closed while it restores: it ends when the broker has answered', async () => {
  const site = await open()
  const asking = hold()
  site.faults.control('committedOffsets', asking.wait)
  const application = newApplication(site)
  const states = statesOf(application)
  application.start().catch(() => {})
  await site.until(() => asking.isReached)
  const closing = application.close()
  await site.turn(20)
  expect(application.state).toBe('stopping')
  asking.release()
  await site.settled(closing)
  expect(states.slice(-2)).toEqual(['stopping', 'closed'])
})

test('killed: nothing more is sent, not even a farewell', async () => {
  const site = await open()
  const { application, calls, disk } = await site.start({ topology: summing })
  await site.idle()
  const sending = hold()
  site.faults.control('sendOffsets', sending.wait)
  await site.send(entries, 'k', 1)
  await site.until(() => sending.isReached)
  const before = calls.length
  application.kill()
  sending.release()
  await site.turn(100)
  const farewells = ['wakeUp', 'close'] // of its own handles: no word to the broker
  const after = calls
    .slice(before)
    .filter(({ name, state }) => state !== 'failed' && !farewells.includes(name))
  expect(after).toEqual([])
  expect(application.state).toBe('closed')
  expect(await sumsOf(site)).toEqual([])
  disk.crash()
  await site.start({ topology: summing, disk })
  await site.idle()
  expect(await sumsOf(site)).toEqual([1])
})

test.each([0, 1, 2, 3, 5])(
  'killed %i turns after start was called: it stays quiet',
  async (turns) => {
    const site = await open()
    const { application, calls } = site.launch({ topology: summing })
    await site.turn(turns)
    application.kill()
    await site.turn(2)
    const before = calls.length
    await site.turn(200)
    expect(calls.slice(before).map(({ name }) => name)).toEqual([])
    expect(application.state).toBe('closed')
  },
)

test('an application id that cannot name topics is refused before anything is asked', async () => {
  const site = await open()
  expect(
    () =>
      new Application({
        applicationId: 'a b',
        topology: summing,
        broker: site.broker,
        engine: MemoryEngine.create(),
      }),
  ).toThrow('application id "a b"')
  expect(await site.broker.topics.list()).toHaveLength(2)
})
