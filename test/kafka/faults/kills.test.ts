/**
 * Goal: kill -9 of replicas, at any instant and as often as one likes, loses and doubles nothing.
 * Method: three worker processes under load; one after the other is killed with SIGKILL at random
 * instants and started again, now and then with an empty disk; then the verifier compares outputs,
 * offsets, changelogs and local stores with what the raw input says. Kafka's own consumer must see
 * the same outputs as ours does.
 */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Prng } from '../../../src/testing/prng.ts'
import { realKafka } from '../real-kafka.ts'
import { readByKafka } from './read-by-kafka.ts'
import { FaultSite } from './site.ts'
import { pause, until } from './until.ts'

const kafka = await realKafka({ apart: 'faults', proxied: true })
const workers = ['a', 'b', 'c'] as const
const killCount = 21

describe.skipIf('skipped' in kafka)('workers killed under load', () => {
  let site: FaultSite

  beforeEach(async () => {
    if ('skipped' in kafka) return
    site = await FaultSite.open({ bootstrap: kafka.bootstrap })
  })
  afterEach(() => site.close())

  it(`${killCount} times leave every entry with one effect`, async () => {
    const prng = new Prng(7)
    for (const worker of workers) site.fleet.start(worker)
    const loading = site.startLoading()
    let killedRunning = 0
    for (let kills = 0; kills < killCount; kills++) {
      const name = prng.pick(workers)
      const victim = site.fleet.alive.find((worker) => worker.name === name)!
      // most of them while they work, some while they start, restore or join
      const mustRun = prng.chance(0.6)
      if (mustRun) await victim.running()
      await pause(prng.int(400))
      if (mustRun) await victim.running()
      if (victim.state === 'running') killedRunning += 1
      await victim.kill()
      if (prng.chance(0.2)) site.fleet.wipe(name)
      site.fleet.start(name)
    }
    await until('enough is loaded', () => loading.count > 1_000)
    await loading.stop()
    await site.settled()
    expect(await site.differences()).toEqual([])
    expect(killedRunning).toBeGreaterThan(killCount / 3)
    const { name } = site.topics.balances
    const ours = (await site.log(name).read()).map(({ key, value }) => `${key}\t${value}`)
    expect(readByKafka('skipped' in kafka ? undefined : kafka, name)).toEqual(ours.toSorted())
    await Promise.all(site.fleet.alive.map((worker) => worker.close()))
    expect(await site.differences()).toEqual([])
  }, 180_000)
})
