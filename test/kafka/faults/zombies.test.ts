/**
 * Goal: a worker that is stopped for longer than its session, and wakes up as a zombie, writes
 * nothing that counts: others have its tasks.
 * Method: a proxy holds a certain request of one of two workers, which is then stopped by SIGSTOP;
 * the other takes its tasks over and finishes them; then the first and its request are let go on.
 * The time-out of transactions is long where it must not be what saves us, and short where it must.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { realKafka } from '../real-kafka.ts'
import { type Fault, RequestProxy } from './request-proxy.ts'
import { FaultSite, type SiteOptions } from './site.ts'
import { pause, until } from './until.ts'

const kafka = await realKafka({ apart: 'faults', proxied: true })
/** By the group's generation, or by the heir, which fences the producer before it takes over. */
const fenced = /BROKER_FENCED|BROKER_PRODUCER_FENCED|BROKER_UNKNOWN_MEMBER|STREAMS_TASK_MIGRATED/

describe.skipIf('skipped' in kafka)('a worker stopped beyond its session', () => {
  let proxy: RequestProxy
  let site: FaultSite

  beforeAll(async () => {
    if ('skipped' in kafka) return
    const { port: brokerPort, proxyPort: port } = kafka.nodes![0]!.proxied!
    proxy = await RequestProxy.listen({ port, brokerPort })
  }, 200_000)
  afterEach(async () => {
    proxy.disarm()
    await site.close()
  })
  afterAll(() => proxy.close())

  const open = async (options: Partial<SiteOptions> = {}) => {
    if ('skipped' in kafka) throw new Error(kafka.skipped)
    const workerBootstrap = `127.0.0.1:${kafka.nodes![0]!.proxied!.proxyPort}`
    site = await FaultSite.open({ bootstrap: kafka.bootstrap, workerBootstrap, ...options })
    const workers = { a: site.fleet.start('a'), b: site.fleet.start('b') }
    await Promise.all([workers.a.running(), workers.b.running()])
    return workers
  }

  /** Either worker's requests, since either may have the tasks that have something to send. */
  const stopBefore = async (...apis: readonly ('produce' | 'txnOffsetCommit' | 'endTxn')[]) => {
    const armed = site.fleet.alive.map((worker) => ({
      worker,
      held: apis.map((api) => proxy.arm({ api, action: 'hold', clientId: worker.name })),
    }))
    const { worker: zombie, held } = await Promise.race(
      armed.map(async (one) => {
        await Promise.all(one.held.map((fault) => fault.hit()))
        return one
      }),
    )
    zombie.freeze()
    const release = (faults: readonly Fault[]) => faults.forEach((fault) => fault.release())
    for (const other of armed) if (other.worker !== zombie) release(other.held)
    return {
      /** Its requests go out, then it wakes up, is told, and works again. */
      wake: async (): Promise<string> => {
        release(held)
        zombie.thaw()
        await until('the zombie is told', () => zombie.warnings.length > 0)
        await zombie.running()
        return zombie.warnings.map(({ code }) => code).join()
      },
    }
  }

  /** All that is left to do is what the punctuator does: of everything loaded at last. */
  const loadUnreported = async (): Promise<number> => {
    const { balances, branchCounts, reports } = site.topics
    const countOf = async (name: string) => (await site.log(name).read()).length
    const batch = 48
    for (let loaded = batch; ; loaded += batch) {
      await site.load(batch)
      await until('all but the reports is written', async () => {
        const counts = await Promise.all([countOf(balances.name), countOf(branchCounts.name)])
        return counts.every((count) => count === loaded)
      })
      if ((await countOf(reports.name)) <= loaded - batch) return loaded
    }
  }

  it('is fenced when it sends what it had processed', async () => {
    await open({ config: { transactionTimeoutMs: 60_000 } })
    const loading = site.startLoading()
    await pause(500)
    const { wake } = await stopBefore('produce', 'txnOffsetCommit')
    await pause(500)
    await loading.stop()
    await site.settled()
    expect(await wake()).toMatch(fenced)
    await site.load(40)
    await site.settled()
    expect(await site.differences()).toEqual([])
  }, 90_000)

  it('is fenced when all it had to send was what a punctuator wrote', async () => {
    await open({ reportEveryMs: 3_000, config: { transactionTimeoutMs: 60_000 } })
    const loaded = await loadUnreported()
    const { wake } = await stopBefore('produce', 'txnOffsetCommit')
    expect((await site.log(site.topics.reports.name).read()).length).toBeLessThan(loaded)
    await site.settled()
    expect(await wake()).toMatch(fenced)
    expect(await site.differences()).toEqual([])
  }, 90_000)

  it('has its open transaction ended by the time-out, and is told when it wakes up', async () => {
    await open({ config: { transactionTimeoutMs: 4_000 } })
    const loading = site.startLoading()
    await pause(500)
    const { wake } = await stopBefore('endTxn')
    await pause(1_000)
    await loading.stop()
    await site.settled()
    await wake()
    await site.load(40)
    await site.settled()
    expect(await site.differences()).toEqual([])
  }, 90_000)

  it('again and again under load', async () => {
    const { a, b } = await open()
    const loading = site.startLoading()
    for (let stops = 0; stops < 4; stops++) {
      const victim = stops % 2 === 0 ? a : b
      await victim.running()
      await pause(100 + 70 * stops)
      victim.freeze()
      await pause(1_300 + 200 * stops)
      victim.thaw()
    }
    await loading.stop()
    await site.settled()
    expect(await site.differences()).toEqual([])
    expect([...a.warnings, ...b.warnings].length).toBeGreaterThan(0)
  }, 120_000)
})
