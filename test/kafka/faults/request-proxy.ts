/**
 * A TCP proxy that reads Kafka's frames, so that a fault hits one certain request and no other.
 *
 * ```
 *   client ──request──► [hold │ cut, reset before] ──► broker
 *   client ◄─[cut, reset after │ delay]──answer─────── broker
 * ```
 * 1. A fault is armed for requests of an API, a client id or a content, so many times. 2. A cut
 * before means that the broker never hears of the request; a cut after, that it did what was asked
 * and the answer is lost: the client cannot tell one from the other. 3. Everything else passes.
 */

import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { until } from './until.ts'

export const apis = {
  produce: 0,
  fetch: 1,
  joinGroup: 11,
  heartbeat: 12,
  syncGroup: 14,
  initProducerId: 22,
  endTxn: 26,
  txnOffsetCommit: 28,
} as const

export type ApiName = keyof typeof apis

/**
 * `hold` keeps the request, and what follows on its connection, until `release`; `holdAnswer` the
 * answer.
 */
export type FaultAction =
  | 'cutBefore'
  | 'cutAfter'
  | 'resetBefore'
  | 'resetAfter'
  | 'delay'
  | 'hold'
  | 'holdAnswer'

export interface FaultSpec {
  readonly api: ApiName
  readonly action: FaultAction
  /** Of `delay`: how long the answer is kept, in ms. */
  readonly delayMs?: number
  readonly clientId?: string
  /** Of the request's bytes as latin1: names of topics are in them. */
  matches?(text: string): boolean
  /** How many requests it hits; default 1. */
  readonly times?: number
}

export class Fault {
  readonly spec: FaultSpec
  readonly #released = Promise.withResolvers<void>()
  readonly #answered = Promise.withResolvers<void>()
  #hits = 0
  #isOff = false

  constructor(spec: FaultSpec) {
    this.spec = spec
  }

  get hits(): number {
    return this.#hits
  }

  /** Resolves when a request was hit. */
  async hit(): Promise<void> {
    await until(`a request ${this.spec.api} comes to be ${this.spec.action}`, () => this.#hits > 0)
  }

  /** Held requests go on; nothing is hit any more. */
  release(): void {
    this.#isOff = true
    this.#released.resolve()
  }

  get released(): Promise<void> {
    return this.#released.promise
  }

  /** The broker has answered the first that was hit. */
  get answered(): Promise<void> {
    return this.#answered.promise
  }

  answer(): void {
    this.#answered.resolve()
  }

  takes(frame: Buffer): boolean {
    const { api, clientId, times = 1, matches } = this.spec
    if (this.#isOff || this.#hits >= times || frame.readInt16BE(4) !== apis[api]) return false
    if (clientId !== undefined && clientIdOf(frame) !== clientId) return false
    if (matches !== undefined && !matches(frame.toString('latin1'))) return false
    this.#hits += 1
    return true
  }
}

export interface RequestProxyOptions {
  /** Where clients come. */
  readonly port: number
  readonly brokerPort: number
}

export class RequestProxy {
  readonly #server: Server
  #brokerPort: number
  readonly #links = new Set<Link>()
  readonly #faults: Fault[] = []

  private constructor(server: Server, brokerPort: number) {
    this.#server = server
    this.#brokerPort = brokerPort
  }

  /** Waits until the port is free: test files may run side by side. */
  static async listen({ port, brokerPort }: RequestProxyOptions): Promise<RequestProxy> {
    const server = createServer()
    const proxy = new RequestProxy(server, brokerPort)
    server.on('connection', (client) => proxy.#connect(client))
    await until(`port ${port} is free`, () => tryListen(server, port), { maxMs: 180_000 })
    return proxy
  }

  /** New connections go to this port. */
  redirect(brokerPort: number): void {
    this.#brokerPort = brokerPort
  }

  arm(spec: FaultSpec): Fault {
    const fault = new Fault(spec)
    this.#faults.push(fault)
    return fault
  }

  /** Nothing is armed any more. */
  disarm(): void {
    for (const fault of this.#faults.splice(0)) fault.release()
  }

  /** Cuts every connection, as when a cable is pulled and put back. */
  cutAll(): void {
    for (const link of this.#links) link.cut()
  }

  async close(): Promise<void> {
    this.disarm()
    this.cutAll()
    await new Promise((resolve) => {
      this.#server.close(resolve)
    })
  }

  #connect(client: Socket): void {
    const link = new Link(client, this.#brokerPort, this.#faults)
    this.#links.add(link)
    client.on('close', () => this.#links.delete(link))
  }
}

const tryListen = (server: Server, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const failed = (): void => resolve(false)
    server.once('error', failed)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed)
      resolve(true)
    })
  })

/** One connection of a client, and its twin to the broker. */
class Link {
  readonly #client: Socket
  readonly #broker: Socket
  readonly #faults: readonly Fault[]
  /** Of answers still to come, in order; undefined passes. */
  readonly #awaited: (Fault | undefined)[] = []
  #requests: Promise<void> = Promise.resolve()
  #answers: Promise<void> = Promise.resolve()

  constructor(client: Socket, brokerPort: number, faults: readonly Fault[]) {
    this.#client = client
    this.#faults = faults
    this.#broker = createConnection({ host: '127.0.0.1', port: brokerPort })
    for (const socket of [client, this.#broker]) {
      socket.setNoDelay(true)
      socket.on('error', () => this.cut())
      socket.on('close', () => this.cut())
    }
    onFrames(client, (frame) => {
      this.#requests = this.#requests.then(() => this.#request(frame))
    })
    onFrames(this.#broker, (frame) => {
      this.#answers = this.#answers.then(() => this.#answer(frame))
    })
  }

  cut(): void {
    this.#client.destroy()
    this.#broker.destroy()
  }

  async #request(frame: Buffer): Promise<void> {
    const fault = this.#faults.find((armed) => armed.takes(frame))
    const action = fault?.spec.action
    if (action === 'hold') await fault!.released
    if (action === 'cutBefore') return this.cut()
    if (action === 'resetBefore') return this.#reset()
    this.#awaited.push(fault)
    if (!this.#broker.destroyed) this.#broker.write(frame)
  }

  async #answer(frame: Buffer): Promise<void> {
    const fault = this.#awaited.shift()
    const action = fault?.spec.action
    fault?.answer()
    if (action === 'holdAnswer') await fault!.released
    if (action === 'cutAfter') return this.cut()
    if (action === 'resetAfter') return this.#reset()
    if (action === 'delay') {
      await new Promise((resolve) => {
        setTimeout(resolve, fault!.spec.delayMs)
      })
    }
    if (!this.#client.destroyed) this.#client.write(frame)
  }

  #reset(): void {
    this.#client.resetAndDestroy()
    this.#broker.destroy()
  }
}

/** Calls back with whole frames, their size included. */
const onFrames = (socket: Socket, onFrame: (frame: Buffer) => void): void => {
  let bytes: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    bytes = bytes.length === 0 ? (chunk as Buffer) : Buffer.concat([bytes, chunk as Buffer])
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
      const end = 4 + bytes.readInt32BE(0)
      onFrame(bytes.subarray(0, end))
      bytes = bytes.subarray(end)
    }
  })
}

/** Request header: size u32, API key, version, correlation id, client id. */
const clientIdOf = (frame: Buffer): string => {
  const length = frame.readInt16BE(12)
  return length < 0 ? '' : frame.toString('utf8', 14, 14 + length)
}
