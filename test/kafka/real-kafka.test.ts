/** The broker the Kafka suites run on: it is there, shared within a run, and answers. */

import { createConnection } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { realKafka } from './real-kafka.ts'

const kafka = await realKafka()

describe.skipIf('skipped' in kafka)('real Kafka', () => {
  it('is one cluster for all who ask', async () => {
    expect(await realKafka()).toEqual(kafka)
  })

  it('listens where it says', async () => {
    if ('skipped' in kafka) return
    for (const address of kafka.bootstrap.split(',')) {
      const port = Number(address.slice(address.lastIndexOf(':') + 1))
      const socket = createConnection({ host: '127.0.0.1', port })
      await once(socket, 'connect')
      socket.destroy()
    }
  })
})
