/**
 * Whether a broker answers: one request over a bare socket.
 *
 * Called by `cluster.mjs` while a cluster starts. Without TLS it asks for the metadata and counts
 * the brokers that are registered; with TLS it asks for the API versions, which needs no login.
 */

import { createConnection } from 'node:net'
import { connect as connectTls } from 'node:tls'

const metadataKey = 3
const metadataVersion = 4
const apiVersionsKey = 18
const answerMaxMs = 2_000

/** Brokers the node at `port` knows; 0 if it does not answer (with TLS: 1 if it does). */
export const brokersKnown = async ({ port, ca }) => {
  try {
    if (ca === undefined) return brokerCount(await ask({ port, request: metadataRequest() }))
    await ask({ port, ca, request: frame(apiVersionsKey, 0, Buffer.alloc(0)) })
    return 1
  } catch {
    return 0
  }
}

const ask = ({ port, ca, request }) =>
  new Promise((resolve, reject) => {
    const socket =
      ca === undefined
        ? createConnection({ host: '127.0.0.1', port })
        : connectTls({ host: '127.0.0.1', port, ca, servername: 'localhost' })
    const chunks = []
    socket.setTimeout(answerMaxMs, () => socket.destroy(new Error('no answer')))
    socket.once(ca === undefined ? 'connect' : 'secureConnect', () => socket.write(request))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed')))
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      if (bytes.length < 4 || bytes.length < 4 + bytes.readInt32BE(0)) return
      resolve(bytes)
      socket.destroy()
    })
  })

/** No topics, and none created. */
const metadataRequest = () => frame(metadataKey, metadataVersion, Buffer.from([0, 0, 0, 0, 0]))

/** Size, API key, version, correlation id 1, no client id, body. */
const frame = (key, version, body) => {
  const head = Buffer.alloc(14)
  head.writeInt32BE(10 + body.length, 0)
  head.writeInt16BE(key, 4)
  head.writeInt16BE(version, 6)
  head.writeInt32BE(1, 8)
  head.writeInt16BE(-1, 12)
  return Buffer.concat([head, body])
}

/** After size, correlation id and throttle time comes the array of brokers. */
const brokerCount = (bytes) => bytes.readInt32BE(12)
