/**
 * Where an instance answers the questions of others of its group: one route, nothing else.
 *
 * Apart from the HTTP API, since it listens on `linkHost` for other machines. 1. Whoever cannot
 * seal a question with this process' incarnation gets 403, before anything of it is read. 2. It
 * answers from its own tasks and forwards nothing. 3. Until `serve` it answers 503.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deserialize, serialize } from 'node:v8'
import type { PartitionQuestion, PartitionReply } from '../queries/partition-read.ts'
import { isSealed, nonceHeader, peerPath, sealHeader, sealOf } from './peer-seal.ts'

export interface PeerHost {
  readonly incarnation: string
  /** @throws {RuntimeError} STREAMS_CONFIG: nobody can answer that */
  answer(question: PartitionQuestion): PartitionReply
}

/** What goes back: the reply, or why the question is a mistake. */
export type PeerReply = PartitionReply | { readonly mistake: string }

const questionBytesMax = 65_536
const connectionsMax = 256

export class PeerServer {
  readonly #server: Server
  readonly #host: string
  #peer: PeerHost | undefined

  private constructor(host: string) {
    this.#host = host
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy())
    })
    this.#server.maxConnections = connectionsMax
  }

  /** @throws the host is none of this machine (EADDRNOTAVAIL, ENOTFOUND) */
  static async open(host: string): Promise<PeerServer> {
    const opened = new PeerServer(host)
    await new Promise<void>((resolve, reject) => {
      opened.#server.once('error', reject)
      opened.#server.listen({ host, port: 0 }, resolve)
    })
    return opened
  }

  /** `host:port` for the others. */
  get address(): string {
    const { port } = this.#server.address() as AddressInfo
    return `${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${port}`
  }

  serve(peer: PeerHost): void {
    this.#peer = peer
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const peer = this.#peer
    if (request.method !== 'POST' || request.url !== peerPath) return end(response, 404)
    if (peer === undefined) return end(response, 503)
    const body = await bodyOf(request)
    if (body === undefined) return end(response, 413)
    const { incarnation } = peer
    const nonce = String(request.headers[nonceHeader] ?? '')
    const question = { incarnation, nonce, what: 'question' } as const
    if (nonce === '' || !isSealed(question, body, request.headers[sealHeader])) {
      return end(response, 403)
    }
    const answer = serialize(replyOf(peer, deserialize(body) as PartitionQuestion))
    const seal = sealOf({ incarnation, nonce, what: 'answer' }, answer)
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': answer.length,
      [sealHeader]: seal,
    })
    response.end(answer)
  }
}

/** An instance that is closing is no mistake of whoever asks. */
const replyOf = (peer: PeerHost, question: PartitionQuestion): PeerReply => {
  try {
    return peer.answer(question)
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: unknown }
    return code === 'STREAMS_CONFIG' ? { mistake: message } : { notHere: message }
  }
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer | undefined> => {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > questionBytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const end = (response: ServerResponse, status: number): void => {
  response.writeHead(status, { connection: 'close' }).end()
}
