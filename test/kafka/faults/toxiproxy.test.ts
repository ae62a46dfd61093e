/**
 * Goal: a network that cuts, resets or delays while a certain request is in flight costs nothing
 * and doubles nothing.
 * Method: a worker behind a proxy that holds one request, and behind that a Toxiproxy, which gets
 * its toxic before the request goes on: other connections are hit with it, as by a real network.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { realKafka } from '../real-kafka.ts'
import { type ApiName, RequestProxy } from './request-proxy.ts'
import { FaultSite } from './site.ts'
import { type Toxic, Toxiproxy, toxiproxyServer } from './toxiproxy.ts'
import { pause } from './until.ts'

const kafka = await realKafka({ apart: 'faults', proxied: true })
const found = 'skipped' in kafka ? kafka : await toxiproxyServer()

const toxics: Readonly<Record<string, Toxic>> = {
  'cut before the answer': { type: 'limit_data', stream: 'downstream', attributes: { bytes: 0 } },
  'reset by the peer': { type: 'reset_peer', stream: 'downstream', attributes: { timeout: 0 } },
  delayed: { type: 'latency', stream: 'downstream', attributes: { latency: 500, jitter: 100 } },
}
const whileRunning: readonly ApiName[] = ['produce', 'txnOffsetCommit', 'endTxn', 'fetch']
const whileStarting: readonly ApiName[] = ['initProducerId', 'joinGroup']
const cases = [...whileRunning, ...whileStarting].flatMap((api) =>
  Object.entries(toxics).map(([how, toxic]) => ({ api, how, toxic })),
)
const toxicMs = 300

describe.skipIf('skipped' in found)('a network with toxics', () => {
  let toxiproxy: Toxiproxy
  let proxy: RequestProxy
  let site: FaultSite

  beforeAll(async () => {
    if ('skipped' in kafka || 'skipped' in found) return
    const { port: upstreamPort, proxyPort: port } = kafka.nodes![0]!.proxied!
    toxiproxy = await Toxiproxy.start(found.server, upstreamPort)
    proxy = await RequestProxy.listen({ port, brokerPort: toxiproxy.port })
    site = await FaultSite.open({
      bootstrap: kafka.bootstrap,
      workerBootstrap: `127.0.0.1:${port}`,
      requestTimeoutMs: 3_000,
    })
    await site.fleet.start('a').running()
  }, 200_000)
  afterEach(() => proxy.disarm())
  afterAll(async () => {
    await site.close()
    await proxy.close()
    await toxiproxy.stop()
  })

  it.each(cases)(
    '$api, $how',
    async ({ api, toxic }) => {
      const held = proxy.arm({ api, action: 'hold', clientId: 'a' })
      if (whileStarting.includes(api)) {
        await site.fleet.alive[0]!.close()
        site.fleet.start('a')
      }
      await site.load(40)
      await held.hit()
      const remove = await toxiproxy.add(toxic)
      held.release()
      await pause(toxicMs)
      await remove()
      await site.settled()
      expect(await site.differences()).toEqual([])
    },
    60_000,
  )
})
