/**
 * Goal: a changelog that lost records, because a broker that lacked them was elected, is never
 * taken for the one that a local store has applied.
 * Method: a changelog on two brokers of three, which may elect uncleanly. The follower is killed,
 * more is written, the leader is killed, the follower comes back and leads. A store whose position
 * is past the end, and later one whose position other records have covered, must be wiped and
 * restored, and say so; the rows are compared with the changelog that is left.
 */

import { createTopicsV7 } from '@platformatic/kafka'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { realKafka } from '../real-kafka.ts'
import { Brokers } from './brokers.ts'
import { FaultSite } from './site.ts'
import { until } from './until.ts'
import { localRowsDifferences } from './verifier.ts'

const kafka = await realKafka({ nodes: 3, apart: 'faults', proxied: true })
const [leader, follower] = [1, 2]

describe.skipIf('skipped' in kafka)('an unclean election of a changelog', () => {
  let brokers: Brokers
  let site: FaultSite

  beforeAll(async () => {
    if ('skipped' in kafka) return
    brokers = await Brokers.open(kafka)
    site = await FaultSite.open({ bootstrap: kafka.bootstrap, partitions: 1 })
    await createChangelog()
  }, 60_000)
  afterEach(async () => {
    await brokers.restart()
    await brokers.whole()
  }, 60_000)
  afterAll(async () => {
    await site.close()
    await brokers.close()
  })

  const createChangelog = async (): Promise<void> => {
    const configs = {
      'cleanup.policy': 'compact',
      'min.insync.replicas': '1',
      'unclean.leader.election.enable': 'true',
    }
    await brokers.cluster.ask(
      createTopicsV7.api,
      [
        {
          name: site.changelog('sums'),
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [{ partitionIndex: 0, brokerIds: [leader, follower] }],
          configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
        },
      ],
      10_000,
      false,
    )
  }

  const wipeReasons = (): string =>
    site.fleet.warnings.filter((text) => text.includes('"store":"sums"')).join('\n')

  it('wipes and restores a store that is past the end, or covered by other records', async () => {
    const a = site.fleet.start('a')
    await a.running()
    await site.load(50)
    await site.settled()
    await brokers.end(follower, 'SIGKILL')
    await site.load(50)
    await site.settled()
    await a.close()
    site.fleet.copy('a', 'copy')
    await brokers.end(leader, 'SIGKILL')
    await brokers.restart(follower)
    await until('the follower leads', async () => {
      return (await brokers.leaderOf(site.changelog('sums'), 0)) === follower
    })
    await brokers.restart()

    const again = site.fleet.start('a')
    await again.running()
    expect(wipeReasons()).toMatch(/position \d+ is past the changelog's end|leader epoch \d+ ended/)
    expect(await localRowsDifferences(site, 'sums')).toEqual([])
    await site.load(200)
    await site.settled()
    expect(await localRowsDifferences(site, 'sums')).toEqual([])
    await again.close()
    site.fleet.forget('a')

    await site.fleet.start('copy').running()
    expect(wipeReasons()).toMatch(/leader epoch \d+ ended at \d+, before position/)
    expect(await localRowsDifferences(site, 'sums')).toEqual([])
  }, 120_000)
})
