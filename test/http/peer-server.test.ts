/**
 * Goal: only instances of the group are answered, and only their answers are believed.
 *
 * Method: the real server and client over a real socket, with questions and answers that were
 * tampered with, sent twice, or come from somebody who knows another incarnation.
 */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serialize } from 'node:v8'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RuntimeError } from '../../src/errors/classes.ts'
import { askPeer } from '../../src/http/ask-peer.ts'
import { nonceHeader, peerPath, sealHeader, sealOf } from '../../src/http/peer-seal.ts'
import { type PeerHost, PeerServer } from '../../src/http/peer-server.ts'
import type { PartitionQuestion, PartitionReply } from '../../src/queries/partition-read.ts'
import type { Peer } from '../../src/runtime/group-protocol.ts'

const incarnation = 'a5f8c0de-secret'

const question: PartitionQuestion = {
  store: 'orders',
  partition: 3,
  generationId: 7,
  read: { kind: 'get', key: 'o-1' },
}

const reply: PartitionReply = {
  answer: {
    partition: 3,
    owner: 'b',
    role: 'active',
    offsets: [{ topic: 'in', partition: 3, offset: 9_007_199_254_740_993n }],
    appliedAtMs: 5,
    rows: [{ order: 'o-1', key: 'o-1', value: { bytes: new Uint8Array([1, 2]), at: undefined } }],
  },
}

let server: PeerServer
const asked: PartitionQuestion[] = []

beforeEach(async () => {
  asked.length = 0
  server = await PeerServer.open('127.0.0.1')
})

afterEach(() => server.close())

const serve = (answer: PeerHost['answer'] = () => reply): void =>
  server.serve({
    incarnation,
    answer: (given) => {
      asked.push(given)
      return answer(given)
    },
  })

const peerAt = (endpoint: string, known = incarnation): Peer => ({
  instanceId: 'b',
  memberId: 'm-b',
  incarnation: known,
  endpoint,
  link: '',
  transactionalId: 'app-b',
  tasks: [],
})

const post = (body: Uint8Array, headers: Record<string, string>, path = peerPath) =>
  fetch(`http://${server.address}${path}`, { method: 'POST', body, headers })

describe('a question of the group', () => {
  it('is answered, with all that JSON would lose', async () => {
    serve()
    expect(await askPeer(peerAt(server.address), question)).toEqual(reply)
    expect(asked).toEqual([question])
  })

  it('that nobody could answer is a mistake; one that another may is not', async () => {
    serve(() => {
      throw new RuntimeError('STREAMS_CONFIG', 'no store is named ordrs')
    })
    await expect(askPeer(peerAt(server.address), question)).rejects.toMatchObject({
      code: 'STREAMS_CONFIG',
      message: 'no store is named ordrs',
    })
    serve(() => {
      throw new RuntimeError('STREAMS_CLOSED', 'it is closing')
    })
    expect(await askPeer(peerAt(server.address), question)).toEqual({ notHere: 'it is closing' })
  })
})

describe('nothing is answered to', () => {
  it('whoever knows another incarnation, or none', async () => {
    serve()
    const other = peerAt(server.address, 'its former life')
    await expect(askPeer(other, question)).rejects.toThrow('another process is at its address')
    const body = serialize(question)
    const seal = sealOf({ incarnation, nonce: 'n', what: 'question' }, body)
    const wrong: Record<string, string>[] = [
      {},
      { [nonceHeader]: 'n' },
      { [sealHeader]: seal },
      { [nonceHeader]: 'm', [sealHeader]: seal },
      { [nonceHeader]: 'n', [sealHeader]: seal.slice(1) },
      {
        [nonceHeader]: 'n',
        [sealHeader]: sealOf({ incarnation, nonce: 'n', what: 'answer' }, body),
      },
    ]
    for (const headers of wrong) expect((await post(body, headers)).status).toBe(403)
    const changed = serialize({ ...question, partition: 4 })
    const headers = { [nonceHeader]: 'n', [sealHeader]: seal }
    expect((await post(changed, headers)).status).toBe(403)
    expect(asked).toEqual([])
    expect((await post(body, headers)).status).toBe(200)
  })

  it('other paths and methods, large bodies, or before there is anything to ask', async () => {
    const early = askPeer(peerAt(server.address), question)
    await expect(early).rejects.toThrow('it answers with status 503')
    serve()
    expect((await post(new Uint8Array(1), {}, '/')).status).toBe(404)
    expect((await fetch(`http://${server.address}${peerPath}`)).status).toBe(404)
    expect((await post(new Uint8Array(100_000), {})).status).toBe(413)
    expect(asked).toEqual([])
  })
})

describe('no answer is believed', () => {
  let liar: Server
  afterEach(() => liar.close())

  const lie = async (status: number, body: Uint8Array, seal = ''): Promise<string> => {
    liar = createServer((_request, response) => {
      response.writeHead(status, { [sealHeader]: seal }).end(body)
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => liar.once('listening', resolve))
    return `127.0.0.1:${(liar.address() as AddressInfo).port}`
  }

  it('of somebody else, or to another question', async () => {
    const body = serialize(reply)
    const stale = sealOf({ incarnation, nonce: 'of another question', what: 'answer' }, body)
    for (const seal of ['', stale]) {
      const address = await lie(200, body, seal)
      const asking = askPeer(peerAt(address), question)
      await expect(asking).rejects.toThrow('somebody else answers at its address')
      liar.close()
    }
    await expect(askPeer(peerAt(await lie(404, body)), question)).rejects.toThrow(
      'it takes no questions of this version',
    )
  })

  it('where there is none: a refusal is told at once', async () => {
    const address = await lie(200, new Uint8Array())
    await new Promise((resolve) => liar.close(resolve))
    await expect(askPeer(peerAt(address), question)).rejects.toMatchObject({
      name: 'UnreachableError',
      message: 'it does not answer (ECONNREFUSED)',
    })
  })
})
