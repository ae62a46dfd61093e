/**
 * Goal: whichever request of a worker is cut, reset or delayed, and whether the broker did what it
 * asked or never heard of it, every entry has its effect exactly once.
 * Method: a worker behind a proxy that knows Kafka's frames; each kind of request is hit in each
 * way while the worker processes entries; then the verifier compares everything with the raw input.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { realKafka } from '../real-kafka.ts'
import { type ApiName, type Fault, type FaultSpec, RequestProxy } from './request-proxy.ts'
import { FaultSite } from './site.ts'
import { pause } from './until.ts'

const kafka = await realKafka({ apart: 'faults', proxied: true })
const actions = ['cutBefore', 'cutAfter', 'resetBefore', 'resetAfter', 'delay'] as const
const whileRunning = ['produce', 'txnOffsetCommit', 'endTxn', 'fetch', 'heartbeat'] as const
const whileStarting = ['initProducerId', 'joinGroup', 'syncGroup'] as const
const delayMs = 600

/** Resets while a worker starts are in `toxiproxy.test.ts`. */
const cuts = ['cutBefore', 'cutAfter', 'delay'] as const

const crossed = <A extends (typeof actions)[number]>(
  apis: readonly ApiName[],
  each: readonly A[],
) => apis.flatMap((api) => each.map((action) => [api, action] as const))

describe.skipIf('skipped' in kafka)('requests of a worker', () => {
  let proxy: RequestProxy
  let site: FaultSite

  beforeAll(async () => {
    if ('skipped' in kafka) return
    const { port: brokerPort, proxyPort: port } = kafka.nodes![0]!.proxied!
    proxy = await RequestProxy.listen({ port, brokerPort })
    site = await FaultSite.open({
      bootstrap: kafka.bootstrap,
      workerBootstrap: `127.0.0.1:${port}`,
      requestTimeoutMs: 3_000,
      retryTimeoutMs: 4_000,
    })
    await site.fleet.start('a').running()
  }, 60_000)
  afterEach(() => proxy.disarm())
  afterAll(async () => {
    await site.close()
    await proxy.close()
  })

  const arm = (spec: Omit<FaultSpec, 'clientId'>): Fault =>
    proxy.arm({ delayMs, ...spec, clientId: 'a' })

  const verify = async (): Promise<void> => {
    await site.settled()
    expect(await site.differences()).toEqual([])
  }

  it.each(crossed(whileRunning, actions))(
    '%s, %s',
    async (api, action) => {
      const fault = arm({ api, action })
      await site.load(60)
      await fault.hit()
      await site.load(20)
      await verify()
    },
    60_000,
  )

  it.each(crossed(whileStarting, cuts))(
    '%s, %s',
    async (api, action) => {
      const fault = arm({ api, action })
      const [worker] = site.fleet.alive
      await worker!.close()
      await site.load(40)
      site.fleet.start('a')
      await fault.hit()
      await verify()
    },
    60_000,
  )

  it('every answer of EndTxn lost for a while', async () => {
    const fault = arm({ api: 'endTxn', action: 'cutAfter', times: 12 })
    await site.load(40)
    await fault.hit()
    await site.load(40)
    await verify()
    expect(fault.hits).toBe(12)
  }, 60_000)

  it('an answer of EndTxn lost, and the worker killed while it asks again', async () => {
    const lost = arm({ api: 'endTxn', action: 'cutAfter' })
    await site.load(40)
    await lost.hit()
    const held = arm({ api: 'endTxn', action: 'hold' })
    await held.hit()
    const [worker] = site.fleet.alive
    await worker!.kill()
    held.release()
    await site.fleet.start('a').running() // nothing may be left to do that would show it runs
    await verify()
  }, 60_000)

  it('a worker killed when its offsets have joined, its outputs not: nothing stays', async () => {
    const held = arm({ api: 'produce', action: 'hold' })
    const joined = arm({ api: 'txnOffsetCommit', action: 'delay', delayMs: 0 })
    await site.load(40)
    await held.hit()
    await joined.hit() // they wait for a produce to join, but not for its answer
    const [worker] = site.fleet.alive
    await worker!.kill()
    held.release()
    site.fleet.start('a')
    await verify()
  }, 60_000)

  it('a worker killed while EndTxn is on its way: nothing of the transaction stays', async () => {
    const held = arm({ api: 'endTxn', action: 'hold' })
    await site.load(40)
    await held.hit()
    const [worker] = site.fleet.alive
    await worker!.kill() // and its connection with it: the request never arrives
    held.release()
    site.fleet.start('a')
    await verify()
  }, 60_000)

  it('EndTxn lost on its way until the worker gives up: its outcome is not guessed', async () => {
    const before = site.fleet.warnings.length
    const cut = arm({ api: 'endTxn', action: 'cutBefore', times: Infinity })
    await site.load(40)
    await cut.hit()
    await pause(5_000) // longer than the worker asks again
    cut.release()
    await verify()
    const warnings = site.fleet.warnings.slice(before)
    expect(warnings.join('\n')).toMatch(/BROKER_(UNKNOWN_OUTCOME|TRANSACTION_TIMED_OUT)/)
  }, 60_000)

  it('an answer of EndTxn lost, and another owner of the id in between', async () => {
    const before = site.fleet.warnings.length
    const lost = arm({ api: 'endTxn', action: 'cutAfter' })
    const held = arm({ api: 'endTxn', action: 'hold' })
    await site.load(40)
    await lost.hit()
    await held.hit()
    const usurper = site.broker.transactionalProducer({ transactionalId: `${site.name}-a` })
    await usurper.init()
    await usurper.close()
    held.release()
    await verify()
    expect(site.fleet.warnings.slice(before).join('\n')).toContain('BROKER_UNKNOWN_OUTCOME')
  }, 60_000)

  it('no fetch answered for longer than one is waited for, while the member lives on', async () => {
    const fault = arm({ api: 'fetch', action: 'cutBefore', times: Infinity })
    await fault.hit()
    await pause(5_500)
    fault.release()
    await site.load(40)
    await site.settled(20_000)
    expect(await site.differences()).toEqual([])
  }, 60_000)

  it('every connection cut, again and again', async () => {
    const loading = site.startLoading()
    for (let cuts = 0; cuts < 30; cuts++) {
      await pause(60)
      proxy.cutAll()
    }
    await loading.stop()
    await verify()
  }, 60_000)
})
