/**
 * Goal: a port that speaks TLS, or does not, against what was asked for, is told as such.
 *
 * Method: a port that hangs up at the first bytes, as both kinds of Kafka's listeners do then.
 */

import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import type { KafkaSecurity } from '../../src/cli/kafka-security.ts'
import { openKafka } from '../../src/cli/open-kafka.ts'
import { ecomNames } from '../../src/cli/topic-names.ts'

const hangingUp = async (): Promise<string> => {
  const server = createServer((socket) => {
    socket.on('error', () => {}).on('data', () => socket.destroy())
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

// Kafka's library is loaded by the first of them
test.each<[string, KafkaSecurity, string]>([
  ['TLS to a port of plain text', { tls: {} }, 'the port does not speak TLS'],
  ['plain text to a port of TLS', {}, 'does the port expect --tls?'],
])(
  '%s',
  async (_name, security, hint) => {
    const bootstrap = await hangingUp()
    const interrupted = new Promise<never>(() => {})
    const wanted = { bootstrap, connectTimeoutMs: 500, security, interrupted }
    const opened = openKafka(wanted, ecomNames)
    // it may be a broker that is about to come: it is waited for until the time-out
    await expect(opened).rejects.toThrow(/^BROKER_UNAVAILABLE: no Kafka broker at .* within 1 s/)
    await expect(opened).rejects.toThrow(hint)
  },
  30_000,
)
