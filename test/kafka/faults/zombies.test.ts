/**
 * Goal: a worker that is stopped for longer than its session, and wakes up as a zombie, writes
 * nothing that counts: others have its tasks.
 * Method: a proxy holds a certain request of worker `a`, which is then stopped by SIGSTOP; `b`
 * takes its tasks over and finishes them; then `a` and its request are let go on. The time-out of
 * transactions is long where it must not be what saves us, and short where it must.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { realKafka } from '../real-kafka.ts'
import { type Fault, RequestProxy } from './request-proxy.ts'
import { FaultSite, type SiteOptions } from './site.ts'
import { pause, until } from './until.ts'

const kafka = await realKafka({ apart: 'faults' })
const fenced = /BROKER_FENCED|BROKER_UNKNOWN_MEMBER|STREAMS_TASK_MIGRATED/

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

  const hold = (...apis: readonly ('produce' | 'txnOffsetCommit' | 'endTxn')[]): Fault[] =>
    apis.map((api) => proxy.arm({ api, action: 'hold', clientId: 'a' }))

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

  /** Everything of a transaction is on its way, and nothing of it has come to the broker. */
  const stopBeforeTransaction = async (a: { freeze(): void }) => {
    const held = hold('produce', 'txnOffsetCommit')
    await Promise.all(held.map((fault) => fault.hit()))
    a.freeze()
    return { letGo: () => held.forEach((fault) => fault.release()) }
  }

  it('is fenced when it sends what it had processed', async () => {
    const { a } = await open({ config: { transactionTimeoutMs: 60_000 } })
    const loading = site.startLoading()
    await pause(500)
    const { letGo } = await stopBeforeTransaction(a)
    await pause(500)
    await loading.stop()
    await site.settled()
    letGo()
    a.thaw()
    await until('the zombie is told', () => a.warnings.length > 0)
    await a.running()
    await site.load(40)
    await site.settled()
    expect(a.warnings.map(({ code }) => code).join()).toMatch(fenced)
    expect(await site.differences()).toEqual([])
  }, 90_000)

  it('is fenced when all it had to send was what a punctuator wrote', async () => {
    const { a } = await open({ reportEveryMs: 3_000, config: { transactionTimeoutMs: 60_000 } })
    const loaded = await loadUnreported()
    const { letGo } = await stopBeforeTransaction(a)
    expect((await site.log(site.topics.reports.name).read()).length).toBeLessThan(loaded)
    await site.settled()
    letGo()
    a.thaw()
    await until('the zombie is told', () => a.warnings.length > 0)
    await a.running()
    expect(a.warnings.map(({ code }) => code).join()).toMatch(fenced)
    expect(await site.differences()).toEqual([])
  }, 90_000)

  it('has its open transaction ended by the time-out, and is told when it wakes up', async () => {
    const { a } = await open({ config: { transactionTimeoutMs: 4_000 } })
    const loading = site.startLoading()
    await pause(500)
    const [end] = hold('endTxn')
    await end!.hit()
    a.freeze()
    await pause(1_000)
    await loading.stop()
    await site.settled()
    end!.release()
    a.thaw()
    await until('the zombie is told', () => a.warnings.length > 0)
    await a.running()
    await site.load(40)
    await site.settled()
    expect(await site.differences()).toEqual([])
  }, 90_000)

  it('again and again under load', async () => {
    const { a, b } = await open()
    const loading = site.startLoading()
    for (let stops = 0; stops < 6; stops++) {
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
