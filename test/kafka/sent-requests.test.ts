/**
 * Goal: large writes arrive whole and leave no memory behind, whatever becomes of the socket.
 * Method: a real socket to a server that reads late, or hangs up.
 */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { freeSentRequests } from '../../src/broker/kafka/protocol/sent-requests.ts'

let server: Server

afterEach(() => void server.close())

const opened = async (): Promise<{ readonly client: Socket; readonly peer: Socket }> => {
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect(port, '127.0.0.1')
  const [peer] = (await once(server, 'connection')) as [Socket]
  freeSentRequests(client)
  return { client, peer }
}

const filled = (length: number, seed: number): Buffer => {
  const bytes = Buffer.allocUnsafeSlow(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * seed) % 251
  return bytes
}

const freed = ({ buffer }: Buffer): boolean => buffer.byteLength === 0

describe('the bytes of a large request', () => {
  test('arrive whole and in order, and are freed once they are written', async () => {
    const { client, peer } = await opened()
    const requests = [filled(8_000_000, 3), filled(100, 5), filled(3_000_000, 7)]
    const copies = requests.map((request) => Buffer.from(request))
    for (const request of requests) client.write(request)
    expect(freed(requests[0]!)).toBe(false) // more than the kernel takes: it waits
    const received: Buffer[] = []
    peer.on('data', (chunk) => received.push(chunk))
    client.end()
    await once(peer, 'end')
    expect(Buffer.concat(received).equals(Buffer.concat(copies))).toBe(true)
    expect(requests.map(freed)).toEqual([true, false, true])
  })

  test('are freed when the connection is lost', async () => {
    const { client, peer } = await opened()
    const closed = new Promise((resolve) => client.on('error', () => {}).on('close', resolve))
    const request = filled(8_000_000, 3)
    client.write(request)
    peer.destroy()
    await closed
    expect(freed(request)).toBe(true)
  })

  test('stay if they are a part of a larger buffer', async () => {
    const { client, peer } = await opened()
    const whole = filled(300_000, 3)
    client.write(whole.subarray(0, 200_000))
    client.end()
    peer.resume()
    await once(peer, 'end')
    expect(freed(whole)).toBe(false)
  })
})
