/**
 * The broker port on Apache Kafka 3.6 and newer.
 *
 * Opened by the composition root or a test; any number of applications of the process may share
 * it. 1. Connections, TLS, SASL and request encodings are @platformatic/kafka's; fetching, record
 * batches, producing, transactions and membership are ours, since that library's own lose
 * exactly-once (see the specification's measurements). 2. Transactions are those of version 2
 * (KIP-890), or 1 where the cluster has not enabled them; what is older than 3.6 is refused at
 * `open`. 3. An open client keeps the process alive.
 * 4. Everything that can be waited out is, up to `retryTimeoutMs`.
 */

import { type SASLOptions } from '@platformatic/kafka'
import { type ConnectionOptions as TlsOptions } from 'node:tls'
import { type Clock, keepProcessAlive, systemClock } from '../../clock.ts'
import { BrokerError } from '../errors.ts'
import {
  type Broker,
  type Fetcher,
  type Groups,
  type Producer,
  type Topics,
  type TransactionalOptions,
  type TransactionalProducer,
} from '../port.ts'
import { bootstrapAddresses } from './bootstrap-addresses.ts'
import { Cluster } from './cluster.ts'
import { committedOffsets } from './committed-offsets.ts'
import { ClassicGroups } from './group-classic.ts'
import { KafkaFetcher } from './kafka-fetcher.ts'
import { KafkaProducer } from './kafka-producer.ts'
import { KafkaTopics } from './kafka-topics.ts'
import { KafkaTransactionalProducer } from './kafka-transactional-producer.ts'
import { type Compression } from './records/compression.ts'
import { TopicConfigs } from './topic-configs.ts'

export interface KafkaBrokerOptions {
  /** `host:port,host:port`: brokers to ask first; the others are learned. */
  readonly bootstrap: string
  /** Names this client in the brokers' logs and quotas; default `millrace`. */
  readonly clientId?: string
  /** As node:tls takes them: `{}` trusts the system's certificates; absent is plain text. */
  readonly tls?: TlsOptions
  /** PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, with what it needs. */
  readonly sasl?: SASLOptions
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

export class KafkaBroker implements Broker {
  readonly kind = 'kafka'
  readonly topics: Topics
  readonly groups: Groups
  readonly #cluster: Cluster
  readonly #configs: TopicConfigs
  readonly #compression: Compression
  readonly #open = new Set<{ close(): Promise<void> }>()
  readonly #release: () => void
  #names = 0
  #isClosed = false

  private constructor(cluster: Cluster, options: KafkaBrokerOptions) {
    const { compression = 'none', replicationFactor = -1, rebalanceTimeoutMs } = options
    this.#cluster = cluster
    this.#compression = compression
    this.#configs = new TopicConfigs(cluster)
    this.topics = new KafkaTopics({ cluster, configs: this.#configs, replicationFactor })
    const members = new ClassicGroups(
      rebalanceTimeoutMs === undefined ? { cluster } : { cluster, rebalanceTimeoutMs },
    )
    this.groups = {
      join: (request) => members.join(request),
      heartbeat: (member) => members.heartbeat(member),
      leave: (member) => members.leave(member),
      committedOffsets: (groupId, partitions) => committedOffsets(cluster, { groupId, partitions }),
    }
    this.#release = keepProcessAlive()
  }

  /**
   * Waits up to `retryTimeoutMs` for a broker that answers.
   *
   * @throws {BrokerError} BROKER_UNAVAILABLE: check the addresses; BROKER_NOT_AUTHORIZED: check
   * the credentials; BROKER_INVALID_REQUEST: the addresses are malformed or the cluster too old
   */
  static async open(options: KafkaBrokerOptions): Promise<KafkaBroker> {
    const {
      clientId = 'millrace',
      clock = systemClock,
      connectTimeoutMs = 5_000,
      requestTimeoutMs = 15_000,
      retryTimeoutMs = 30_000,
      tls,
      sasl,
    } = options
    const bootstrap = bootstrapAddresses(options.bootstrap)
    const release = keepProcessAlive()
    try {
      const cluster = await Cluster.open({
        bootstrap,
        clientId,
        clock,
        connectTimeoutMs,
        requestTimeoutMs,
        retryTimeoutMs,
        ...(tls && { tls }),
        ...(sasl && { sasl }),
      })
      return new KafkaBroker(cluster, options)
    } finally {
      release()
    }
  }

  async clusterId(): Promise<string> {
    return this.#cluster.clusterId
  }

  fetcher(clientId: string): Fetcher {
    this.#checkOpen()
    const fetcher = new KafkaFetcher({
      cluster: this.#cluster,
      name: this.#nameOf(clientId),
      onClose: (closed) => this.#open.delete(closed),
    })
    this.#open.add(fetcher)
    return fetcher
  }

  producer(clientId: string): Producer {
    this.#checkOpen()
    const producer = new KafkaProducer({
      ...this.#producing(clientId),
      onClose: (closed) => this.#open.delete(closed),
    })
    this.#open.add(producer)
    return producer
  }

  transactionalProducer(options: TransactionalOptions): TransactionalProducer {
    this.#checkOpen()
    const producer = new KafkaTransactionalProducer({
      ...options,
      ...this.#producing(options.transactionalId),
      onClose: (closed) => this.#open.delete(closed),
    })
    this.#open.add(producer)
    return producer
  }

  /** Closes its fetchers and producers too; open transactions stay open until fenced. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.all([...this.#open].map((part) => part.close()))
    await this.#cluster.close()
    this.#release()
  }

  #producing(clientId: string) {
    return {
      cluster: this.#cluster,
      configs: this.#configs,
      compression: this.#compression,
      purpose: this.#nameOf(clientId),
    }
  }

  /** Each has connections of its own. */
  #nameOf(clientId: string): string {
    this.#names += 1
    return `${clientId}#${this.#names}`
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new BrokerError('BROKER_CLOSED', 'the broker client is closed')
  }
}
