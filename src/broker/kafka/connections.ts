/**
 * Connections to brokers, one per purpose and node.
 *
 * A broker answers the requests of one connection one after the other, so whatever may wait there
 * (long polls, joins) needs a purpose of its own. 1. A lost connection is forgotten and made again
 * at the next request. 2. Failures come out as BrokerErrors; whether a request had an effect when
 * its connection was lost is not known here. 3. Closing drops what is in flight.
 */

import {
  Connection,
  type ConnectionOptions as LibraryOptions,
  type SASLOptions,
} from '@platformatic/kafka'
import { isIP } from 'node:net'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { BrokerError } from '../errors.ts'
import { connectionErrorOf } from './errors.ts'
import { freeSentRequests } from './protocol/sent-requests.ts'

export interface BrokerNode {
  readonly host: string
  readonly port: number
}

export interface ConnectionsOptions {
  readonly clientId: string
  /** As node:tls takes them (`ca`, `cert`, `key`, ...); plain text if absent. */
  readonly tls?: TlsOptions
  /** PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER. */
  readonly sasl?: SASLOptions
  readonly connectTimeoutMs: number
  /** After so long without an answer a connection is given up, in ms. */
  readonly requestTimeoutMs: number
}

export class Connections {
  readonly #options: ConnectionsOptions
  readonly #open = new Map<string, Promise<Connection>>()
  readonly #onLost: (node: BrokerNode) => void
  #isClosed = false

  /** @param onLost  told of a connection that was not dropped here; more than once, perhaps */
  constructor(options: ConnectionsOptions, onLost: (node: BrokerNode) => void = () => {}) {
    this.#options = options
    this.#onLost = onLost
  }

  /**
   * @param purpose  requests of one purpose wait for each other; the first `get` of a purpose and
   * node decides its request time-out
   * @throws {BrokerError} BROKER_UNAVAILABLE, BROKER_NOT_AUTHORIZED, BROKER_CLOSED
   */
  async get(
    purpose: string,
    node: BrokerNode,
    requestTimeoutMs: number = this.#options.requestTimeoutMs,
  ): Promise<Connection> {
    const key = keyOf(purpose, node)
    for (;;) {
      if (this.#isClosed) throw new BrokerError('BROKER_CLOSED', 'the broker client is closed')
      const known = this.#open.get(key)
      if (known === undefined) break
      const connection = await known
      if (isUsable(connection)) return connection
      if (this.#open.get(key) === known) this.#open.delete(key)
    }
    const connecting = this.#connect(node, requestTimeoutMs, () => {
      if (this.#open.get(key) !== connecting) return
      this.#open.delete(key)
      this.#onLost(node)
    })
    this.#open.set(key, connecting)
    return connecting
  }

  /** Drops the connections of a purpose; requests in flight fail with BROKER_UNAVAILABLE. */
  drop(purpose: string): void {
    for (const [key, connecting] of this.#open) {
      if (!key.startsWith(`${purpose}@`)) continue
      this.#open.delete(key)
      void connecting.then(destroy, () => {})
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const connections = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(connections.map((connecting) => connecting.then(destroy, () => {})))
  }

  async #connect(
    node: BrokerNode,
    requestTimeoutMs: number,
    onLost: () => void,
  ): Promise<Connection> {
    const { clientId } = this.#options
    const options = libraryOptions(this.#options, node, requestTimeoutMs)
    const connection = new Connection(clientId, options)
    // an error may be told more than once; unheard it would end the process
    connection.on('error', onLost)
    connection.on('close', onLost)
    try {
      await connection.connect(node.host, node.port)
    } catch (error) {
      // after a turn, when `get` has noted this connection
      await Promise.resolve()
      onLost()
      throw connectionErrorOf(error, `connect to ${node.host}:${node.port}`)
    }
    freeSentRequests(connection.socket)
    if (this.#isClosed) destroy(connection)
    return connection
  }
}

const keyOf = (purpose: string, { host, port }: BrokerNode): string => `${purpose}@${host}:${port}`

const isUsable = ({ status }: Connection): boolean =>
  status === 'connected' || status === 'reauthenticating'

const destroy = (connection: Connection): void => {
  connection.socket.destroy()
}

const libraryOptions = (
  { connectTimeoutMs, tls, sasl }: ConnectionsOptions,
  { host }: BrokerNode,
  requestTimeoutMs: number,
): LibraryOptions => ({
  connectTimeout: connectTimeoutMs,
  requestTimeout: requestTimeoutMs,
  maxInflights: 32,
  // a name only: TLS knows no server names that are addresses
  ...(tls === undefined ? {} : { tls, tlsServerName: isIP(host) === 0 }),
  ...(sasl === undefined ? {} : { sasl }),
})
