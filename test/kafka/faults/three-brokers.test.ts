/**
 * Goal: brokers that die, come back, and hand over partitions and coordinators cost nothing and
 * double nothing.
 * Method: a cluster of three with two in sync at least, workers under load; the broker that leads
 * or coordinates what matters is killed, stopped or relieved, and comes back; then the verifier
 * compares everything with the raw input.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { realKafka } from '../real-kafka.ts'
import { Brokers } from './brokers.ts'
import { RequestProxy } from './request-proxy.ts'
import { FaultSite } from './site.ts'
import { pause, until } from './until.ts'

const kafka = await realKafka({ nodes: 3, apart: 'faults', proxied: true })

describe.skipIf('skipped' in kafka)('three brokers', () => {
  let brokers: Brokers
  let proxies: readonly RequestProxy[] = []
  let site: FaultSite

  beforeAll(async () => {
    if ('skipped' in kafka) return
    brokers = await Brokers.open(kafka)
    proxies = await Promise.all(
      kafka.nodes!.map(({ proxied }) =>
        RequestProxy.listen({ port: proxied!.proxyPort, brokerPort: proxied!.port }),
      ),
    )
    site = await FaultSite.open({
      bootstrap: kafka.bootstrap,
      workerBootstrap: kafka.nodes!.map(({ proxied }) => `127.0.0.1:${proxied!.proxyPort}`).join(),
      requestTimeoutMs: 3_000,
      retryTimeoutMs: 20_000,
      config: { sessionTimeoutMs: 3_000, transactionTimeoutMs: 5_000 },
    })
    await Promise.all(['a', 'b'].map((worker) => site.fleet.start(worker).running()))
  }, 200_000)
  afterEach(async () => {
    for (const proxy of proxies) proxy.disarm()
    await brokers.restart()
    await brokers.whole()
  }, 90_000)
  afterAll(async () => {
    await site.close()
    await Promise.all(proxies.map((proxy) => proxy.close()))
    await brokers.close()
  })

  const verify = async (): Promise<void> => {
    await site.settled(90_000)
    expect(await site.differences()).toEqual([])
  }

  it.each([
    ['leads a changelog', 'SIGKILL', () => brokers.leaderOf(site.changelog('sums'), 0)],
    ['coordinates the group', 'SIGTERM', () => brokers.coordinatorOf('group', site.name)],
    [
      'coordinates the transactions of a worker',
      'SIGKILL',
      () => brokers.coordinatorOf('transaction', `${site.name}-a`),
    ],
  ] as const)(
    'the one that %s ends by %s under load, and comes back',
    async (_, signal, find) => {
      const loading = site.startLoading()
      await pause(500)
      await brokers.end(await find(), signal)
      await pause(1_000)
      await brokers.restart()
      await until('enough is loaded', () => loading.count > 200)
      await loading.stop()
      await verify()
    },
    150_000,
  )

  it('leaders of inputs, outputs and changelogs move under load', async () => {
    const { entries, balances, reports } = site.topics
    const loading = site.startLoading()
    await pause(300)
    await brokers.moveLeaders([
      entries.name,
      balances.name,
      reports.name,
      `${site.name}-by-branch-repartition`,
      site.changelog('sums'),
      site.changelog('branches'),
    ])
    await pause(1_000)
    await loading.stop()
    await verify()
  }, 90_000)

  /** Leads a changelog, and coordinates neither the group nor the transactions of `a`. */
  const changelogLeader = async (): Promise<number> => {
    const busy = [
      await brokers.coordinatorOf('group', site.name),
      await brokers.coordinatorOf('transaction', `${site.name}-a`),
    ]
    const leaders = await Promise.all(
      [0, 1, 2, 3].map((partition) => brokers.leaderOf(site.changelog('sums'), partition)),
    )
    return leaders.find((id) => !busy.includes(id)) ?? leaders[0]!
  }

  // a frozen one has not got its markers, so that others see the transaction as open
  it.each([
    ['changelog leader', 'SIGKILL', changelogLeader],
    ['changelog leader', 'SIGSTOP', changelogLeader],
    ['group coordinator', 'SIGSTOP', () => brokers.coordinatorOf('group', site.name)],
  ] as const)(
    'the %s gets %s right behind EndTxn: the heir begins at its end',
    async (_, signal, find) => {
      await Promise.all(site.fleet.alive.map((worker) => worker.close()))
      // so short that the heir looks while the markers may be on their way
      const config = { sessionTimeoutMs: 1_000 }
      const a = site.fleet.start('a', config)
      await a.running()
      const victim = await find()
      await site.load(200)
      const ends = proxies.map((proxy) =>
        proxy.arm({ api: 'endTxn', action: 'holdAnswer', clientId: 'a' }),
      )
      await Promise.race(ends.map((end) => end.answered))
      const ending = brokers.end(victim, signal)
      await Promise.all([ending, a.kill()])
      site.fleet.wipe('a')
      site.fleet.wipe('b')
      const b = site.fleet.start('b', config)
      await pause(signal === 'SIGSTOP' ? 8_000 : 0)
      await brokers.thaw(victim)
      await b.running()
      await verify()
    },
    150_000,
  )
})
