/**
 * Links between the instances of a group, to see at once that one has died.
 *
 * ```
 *   dialling ──"ok"──► established ──closed──► suspected ──refused 3 times──► dead (told once)
 *       ▲                        │ "bye"            │
 *       └── refused, no answer, another answers ◄──┘            a peer never reached is never dead
 * ```
 * Runs in the membership thread. 1. A link counts once the peer has answered to its member id and
 * incarnation; both are known to the group only. 2. Only refusals tell of a death: the machine
 * answers, and nobody listens any more. Silence, another process at the port and a frozen process
 * are left to the session time-out. 3. Each instance watches the next few of the ring of member
 * ids, so links grow with the group, not with its square. 4. A static
 * member that keeps its place says farewell: its end is no death then. One that is back, in the
 * same generation, introduces itself to those it watches: they watch it as it is now.
 */

import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { BrokerError } from '../errors.ts'
import type { GroupPeer } from '../port.ts'

export interface PeerLinksOptions {
  /** Where this instance listens, and how the others reach it. */
  readonly host: string
  readonly incarnation: string
  onDead(peer: GroupPeer): void
}

export class PeerLinks {
  readonly #options: PeerLinksOptions
  readonly #server: Server
  readonly #visitors = new Set<Socket>()
  readonly #links = new Map<string, Link>()
  #memberId = ''
  /** This member, where it is static. */
  #self: GroupPeer | undefined

  private constructor(options: PeerLinksOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#welcome(socket))
    this.#server.maxConnections = visitorsMax
  }

  /** @throws {BrokerError} BROKER_INVALID_REQUEST: the host is none of this machine */
  static async open(options: PeerLinksOptions): Promise<PeerLinks> {
    const links = new PeerLinks(options)
    await new Promise<void>((resolve, reject) => {
      links.#server.once('error', (cause) => reject(noSuchHost(options.host, cause)))
      links.#server.listen({ host: options.host, port: 0 }, resolve)
    })
    return links
  }

  /** `host:port` for the others. */
  get address(): string {
    return `${this.#options.host}:${(this.#server.address() as AddressInfo).port}`
  }

  /** Tells those who ask for this member that it is here. */
  answerTo(memberId: string): void {
    this.#memberId = memberId
  }

  /** Watches those of the generation that come after this member; forgets all others. */
  watch(memberId: string, peers: readonly GroupPeer[]): void {
    this.#self = peers.find((peer) => peer.memberId === memberId && peer.isStatic === true)
    const watched = new Map(nextOf(memberId, peers).map((peer) => [keyOf(peer), peer]))
    for (const [key, link] of this.#links) {
      if (watched.has(key)) continue
      link.close()
      this.#links.delete(key)
    }
    for (const [key, peer] of watched) {
      const link = this.#links.get(key) ?? this.#watchOne(peer)
      link.introduce(this.#self) // it may be older than our place
    }
  }

  #watchOne(peer: GroupPeer): Link {
    const link = new Link({ peer, onDead: () => this.#options.onDead(peer) })
    this.#links.set(keyOf(peer), link)
    return link
  }

  /** A static member that was watched has another life now; whoever else comes is no news. */
  #meet(peer: GroupPeer): void {
    for (const [key, link] of this.#links) {
      const { instanceId, isStatic } = link.peer
      if (isStatic !== true || instanceId !== peer.instanceId || key === keyOf(peer)) continue
      link.close()
      this.#links.delete(key)
      this.#watchOne(peer).introduce(this.#self)
      return
    }
  }

  /** Tells those who watch that the end to come is none to act upon; closes. */
  async sayGoodbye(): Promise<void> {
    this.#server.close() // before the word: nobody is welcomed between it and the end
    const told = [...this.#visitors].map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.on('close', () => resolve())
          socket.end(`${farewell}\n`)
        }),
    )
    const late = new Promise<void>((resolve) => {
      setTimeout(resolve, farewellMs).unref()
    })
    await Promise.race([Promise.all(told), late])
    this.close()
  }

  close(): void {
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
    this.#server.close()
    for (const socket of this.#visitors) socket.destroy()
  }

  #welcome(socket: Socket): void {
    this.#visitors.add(socket)
    socket.on('close', () => this.#visitors.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setKeepAlive(true, keepAliveMs)
    let isKnown = false
    onLine(socket, (line) => {
      if (isKnown) {
        const peer = introduced(line)
        if (peer !== undefined) this.#meet(peer)
        return
      }
      const { incarnation } = this.#options
      isKnown = line === greeting({ memberId: this.#memberId, incarnation })
      if (isKnown) socket.write(`${accepted}\n`)
      else socket.end('no\n')
    })
  }
}

interface LinkOptions {
  readonly peer: GroupPeer
  onDead(): void
}

class Link {
  readonly peer: GroupPeer
  readonly #options: LinkOptions
  /** Who introduces itself, if anybody. */
  #self: GroupPeer | undefined
  #socket: Socket | undefined
  #isEstablished = false
  #timer: NodeJS.Timeout | undefined
  /** Was established, and is gone since. */
  #isSuspected = false
  #refusals = 0
  #isClosed = false

  constructor(options: LinkOptions) {
    this.peer = options.peer
    this.#options = options
    this.#dial()
  }

  /** Tells the peer who watches it, now and whenever it is dialled again. */
  introduce(self: GroupPeer | undefined): void {
    const isKnown =
      self === undefined || (this.#self !== undefined && keyOf(self) === keyOf(this.#self))
    if (isKnown) return
    this.#self = self
    if (this.#isEstablished) this.#socket?.write(`${introduction(self)}\n`)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#socket?.destroy()
  }

  #dial(): void {
    const { link: address } = this.peer
    const colon = address.lastIndexOf(':')
    const [host, port] = [address.slice(0, colon), address.slice(colon + 1)]
    const socket = connect({ host, port: Number(port), timeout: answerMs })
    this.#socket = socket
    let isRefused = false
    let isFarewell = false
    socket.setKeepAlive(true, keepAliveMs)
    socket.on('connect', () => socket.write(`${greeting(this.peer)}\n`))
    socket.on('timeout', () => socket.destroy())
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      isRefused = code === 'ECONNREFUSED'
    })
    onLine(socket, (line) => {
      if (this.#isEstablished && line === farewell) {
        isFarewell = true
        return
      }
      if (line !== accepted) return void socket.destroy()
      this.#isEstablished = true
      socket.setTimeout(0)
      this.#isSuspected = false
      if (this.#self !== undefined) socket.write(`${introduction(this.#self)}\n`)
    })
    socket.on('close', () => {
      const isBroken = this.#isEstablished && !isFarewell
      this.#isEstablished = false
      this.#closed({ isBroken, isRefused })
    })
  }

  /** @param end  `isBroken`: it stood, and ended without a word */
  #closed({ isBroken, isRefused }: { isBroken: boolean; isRefused: boolean }): void {
    if (this.#isClosed) return
    if (isBroken) {
      this.#isSuspected = true
      this.#refusals = 0
    } else if (!isRefused) this.#isSuspected = false
    else this.#refusals += 1
    if (this.#isSuspected && this.#refusals >= refusalsOfTheDead) {
      this.#isClosed = true
      return this.#options.onDead()
    }
    const delayMs = this.#isSuspected ? suspectedDialMs : dialMs
    this.#timer = setTimeout(() => this.#dial(), delayMs)
  }
}

/** Watched by so many, a death is seen even if some of them die with it. */
const watchedMax = 8
const visitorsMax = 256
const refusalsOfTheDead = 3
const suspectedDialMs = 50
/** Between attempts at a peer that was not reached yet. */
const dialMs = 1_000
const answerMs = 2_000
const keepAliveMs = 10_000
const lineCharactersMax = 2_048
const accepted = 'ok'
const farewell = 'bye'
/** How long a farewell may take to be read, in ms. */
const farewellMs = 500

const keyOf = ({ memberId, link }: GroupPeer): string => `${memberId}@${link}`

const greeting = ({ memberId, incarnation }: Pick<GroupPeer, 'memberId' | 'incarnation'>): string =>
  `millrace-link 1 ${memberId} ${incarnation}`

const introductionWord = 'from '

const introduction = ({ memberId, instanceId, incarnation, link }: GroupPeer): string =>
  introductionWord + JSON.stringify({ memberId, instanceId, incarnation, link })

/** Undefined: the line is none, of a newer version perhaps. */
const introduced = (line: string): GroupPeer | undefined => {
  if (!line.startsWith(introductionWord)) return undefined
  try {
    const said = JSON.parse(line.slice(introductionWord.length)) as Record<string, unknown>
    const { memberId, instanceId, incarnation, link } = said
    const isWhole = [memberId, instanceId, incarnation, link].every((of) => typeof of === 'string')
    return isWhole ? ({ ...said, isStatic: true } as unknown as GroupPeer) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The members that follow in the ring of member ids, as far as they have an address. */
const nextOf = (memberId: string, peers: readonly GroupPeer[]): readonly GroupPeer[] => {
  const others = peers
    .filter((peer) => peer.memberId !== memberId && peer.link !== '')
    .toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const first = others.findIndex((peer) => peer.memberId > memberId)
  const ring = first === -1 ? others : [...others.slice(first), ...others.slice(0, first)]
  return ring.slice(0, watchedMax)
}

/** Calls back for each line; who sends more than a line's worth without an end is cut off. */
const onLine = (socket: Socket, use: (line: string) => void): void => {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      const line = text.slice(0, end)
      text = text.slice(end + 1)
      use(line)
    }
    if (text.length > lineCharactersMax) socket.destroy()
  })
}

const noSuchHost = (host: string, cause: unknown): BrokerError =>
  new BrokerError(
    'BROKER_INVALID_REQUEST',
    `linkHost ${host} cannot be listened at: name an address of this machine`,
    { cause },
  )
