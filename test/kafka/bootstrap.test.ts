/**
 * Goal: one address that takes connections and answers nothing, as a frozen broker or a proxy in
 * front of a dead one does, does not hinder who knows another.
 */

import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import { realKafka } from './real-kafka.ts'

const kafka = await realKafka()

describe.skipIf('skipped' in kafka)('a first address that does not answer', () => {
  let server: Server

  afterEach(() => {
    server.close()
  })

  it.each(['closes', 'is silent'])(
    'because it %s',
    async (how) => {
      if ('skipped' in kafka) return
      server = createServer((socket) => {
        socket.on('error', () => {})
        if (how === 'closes') socket.destroy()
        else socket.unref()
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as { readonly port: number }
      const broker = await KafkaBroker.open({
        bootstrap: `127.0.0.1:${port},${kafka.bootstrap}`,
        requestTimeoutMs: 500,
        retryTimeoutMs: 5_000,
      })
      expect(await broker.clusterId()).not.toBe('')
      await broker.close()
    },
    20_000,
  )
})
