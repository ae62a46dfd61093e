/**
 * Goal: a broker that goes and comes back costs a replica nothing but the time it was away: nobody
 * waits for a replica's own past, no store is restored that has everything.
 * Method: one broker, one worker under load. Broker and worker are killed together, so that the
 * broker finds a member and an open transaction in its logs and nobody who ends them; the session
 * is long, the transaction's time-out passes while the broker is away. Then the broker alone stops
 * in order, comes back, and the worker is started again on its store.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { realKafka } from '../real-kafka.ts'
import { Brokers } from './brokers.ts'
import { FaultSite, type Loading } from './site.ts'
import { pause, until } from './until.ts'

const kafka = await realKafka({ apart: 'restarts', proxied: true, isOwn: true })
const [brokerId, worker] = [1, 'a']
const sessionTimeoutMs = 30_000
/** Far below the session, and enough for a start on a busy machine. */
const returnMaxMs = 12_000

describe.skipIf('skipped' in kafka)('a broker that is started again', () => {
  let brokers: Brokers
  let site: FaultSite

  beforeAll(async () => {
    if ('skipped' in kafka) return
    brokers = await Brokers.open(kafka)
    site = await FaultSite.open({
      bootstrap: kafka.bootstrap,
      config: { sessionTimeoutMs, transactionTimeoutMs: 2_000 },
    })
  }, 60_000)
  afterEach(() => brokers.restart(), 60_000)
  afterAll(async () => {
    await site.close()
    await brokers.close()
  })

  const underLoad = async (): Promise<Loading> => {
    await site.fleet.start(worker).running()
    const loading = site.startLoading()
    await until('enough is loaded', () => loading.count > 200)
    return loading
  }

  it('a worker killed with it runs at once, though its session goes on', async () => {
    for (let round = 0; round < 2; round++) {
      const loading = await underLoad()
      await Promise.all(site.fleet.alive.map((alive) => alive.kill()))
      await brokers.end(brokerId, 'SIGKILL')
      await pause(2_000)
      await brokers.restart()
      const startedMs = performance.now()
      await site.fleet.start(worker).running()
      expect(performance.now() - startedMs).toBeLessThan(returnMaxMs)
      await loading.stop()
      await site.settled()
      expect(await site.differences()).toEqual([])
      await Promise.all(site.fleet.alive.map((alive) => alive.close()))
    }
  }, 180_000)

  it('keeps the store of a worker that was there all the time', async () => {
    const loading = await underLoad()
    await brokers.end(brokerId, 'SIGTERM')
    await brokers.restart()
    const { count } = loading
    await until('more is loaded', () => loading.count > count + 100)
    await loading.stop()
    await site.settled()
    await Promise.all(site.fleet.alive.map((alive) => alive.close()))
    await site.fleet.start(worker).running()
    expect(site.fleet.warnings.filter((text) => text.includes('"store"'))).toEqual([])
    expect(await site.differences()).toEqual([])
  }, 120_000)
})
