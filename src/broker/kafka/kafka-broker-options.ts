/**
 * How to reach a Kafka cluster, and the defaults; shared by the broker and its membership thread.
 */

import type { SASLOptions } from '@platformatic/kafka'
import { readFileSync } from 'node:fs'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { type Clock, systemClock } from '../../clock.ts'
import { bootstrapAddresses } from './bootstrap-addresses.ts'
import type { ClusterOptions } from './cluster.ts'
import type { Compression } from './records/compression.ts'

export interface KafkaBrokerOptions {
  /** `host:port,host:port`: brokers to ask first; the others are learned. */
  readonly bootstrap: string
  /** Names this client in the brokers' logs and quotas; default `millrace`. */
  readonly clientId?: string
  /** As node:tls takes them: `{}` trusts the system's certificates; absent is plain text. */
  readonly tls?: TlsOptions
  /** PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, with what it needs. */
  readonly sasl?: SASLOptions
  /**
   * File with the password of `sasl`, or with the token of OAUTHBEARER.
   *
   * Read at each authentication, so that whoever renews it needs no restart.
   */
  readonly saslSecretFile?: string
  /** Of what is produced; default `none`. Everything is read. */
  readonly compression?: Compression
  /** Of topics made here; default −1, the brokers' `default.replication.factor`. */
  readonly replicationFactor?: number
  /** How long a rebalance waits for members, in ms; default 60,000. */
  readonly rebalanceTimeoutMs?: number
  readonly connectTimeoutMs?: number
  /** After so long without an answer a connection is given up, in ms; default 15,000. */
  readonly requestTimeoutMs?: number
  /** How long a call waits out what may pass (elections, lost connections); default 30,000 ms. */
  readonly retryTimeoutMs?: number
  readonly clock?: Clock
}

/** @throws {BrokerError} BROKER_INVALID_REQUEST: the addresses are malformed */
export const clusterOptions = (options: KafkaBrokerOptions, clock: Clock): ClusterOptions => {
  const {
    clientId = 'millrace',
    connectTimeoutMs = 5_000,
    requestTimeoutMs = 15_000,
    retryTimeoutMs = 30_000,
    tls,
    sasl,
  } = options
  return {
    bootstrap: bootstrapAddresses(options.bootstrap),
    clientId,
    clock,
    connectTimeoutMs,
    requestTimeoutMs,
    retryTimeoutMs,
    ...(tls && { tls }),
    ...(sasl && { sasl: withSecret(sasl, options.saslSecretFile) }),
  }
}

const withSecret = (sasl: SASLOptions, path: string | undefined): SASLOptions => {
  if (path === undefined) return sasl
  const secret = (): string => readFileSync(path, 'utf8').trim()
  return { ...sasl, [sasl.mechanism === 'OAUTHBEARER' ? 'token' : 'password']: secret }
}

/**
 * The options as a thread can have them; undefined if they hold what cannot be sent (functions of
 * SASL or TLS, a secure context) or time is not the system's.
 */
export const sendableOptions = (options: KafkaBrokerOptions): KafkaBrokerOptions | undefined => {
  const { clock, ...rest } = options
  if (clock !== undefined && clock !== systemClock) return undefined
  try {
    return structuredClone(rest)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'DataCloneError') return undefined
    throw error
  }
}
