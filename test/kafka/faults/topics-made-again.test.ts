/**
 * Goal: a topic that is deleted and made again under its name is another one, and an application
 * that has state of the first is refused with the code that says so, running or not.
 * Method: a worker, a topic of which is made again while it is stopped or runs.
 */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { realKafka } from '../real-kafka.ts'
import { FaultSite } from './site.ts'
import { pause } from './until.ts'

const kafka = await realKafka({ apart: 'faults', proxied: true })

describe.skipIf('skipped' in kafka)('a topic made again', () => {
  let site: FaultSite

  beforeEach(async () => {
    if ('skipped' in kafka) return
    site = await FaultSite.open({ bootstrap: kafka.bootstrap })
    await site.fleet.start('a').running()
    await site.load(60)
    await site.settled()
  }, 60_000)
  afterEach(() => site.close())

  const makeAgain = async (name: string): Promise<void> => {
    const { topics } = site.broker
    const before = (await topics.describe([name])).get(name)!
    await topics.delete([name])
    await topics.create([before])
  }

  it('a changelog, while the worker is away: refused, the rows untouched', async () => {
    const [a] = site.fleet.alive
    await a!.close()
    const rows = await a!.dump()
    await makeAgain(site.changelog('sums'))
    const again = site.fleet.start('a')
    await again.gone()
    expect(again.failed?.code).toBe('STREAMS_STATE_MISMATCH')
    expect(again.failed?.message).toContain('deleted and made anew')
    const sums = (dumped: typeof rows) => dumped!.filter(([key]) => key.includes('sums'))
    expect(sums(again.lastDump)).toEqual(sums(rows))
  }, 60_000)

  it('a changelog, under a running worker', async () => {
    const [a] = site.fleet.alive
    await makeAgain(site.changelog('sums'))
    await site.load(60)
    await a!.gone()
    expect(a!.failed?.code).toBe('STREAMS_STATE_MISMATCH')
  }, 60_000)

  it('an input, under a running worker', async () => {
    const [a] = site.fleet.alive
    await makeAgain(site.topics.entries.name)
    await pause(200)
    await a!.gone()
    expect(a!.failed?.code).toBe('BROKER_UNKNOWN_TOPIC')
    expect(a!.failed?.message).toContain('made again')
  }, 60_000)
})
