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

import { keepProcessAlive, systemClock } from '../../clock.ts'
import { BrokerError } from '../errors.ts'
import type {
  Broker,
  Fetcher,
  Groups,
  GroupSessionOptions,
  Producer,
  Topics,
  TransactionalOptions,
  TransactionalProducer,
} from '../port.ts'
import { Cluster } from './cluster.ts'
import { committedOffsets } from './committed-offsets.ts'
import { ClassicGroups } from './group-classic.ts'
import { clusterOptions, type KafkaBrokerOptions, sendableOptions } from './kafka-broker-options.ts'
import { KafkaFetcher } from './kafka-fetcher.ts'
import { KafkaProducer } from './kafka-producer.ts'
import { KafkaTopics } from './kafka-topics.ts'
import { KafkaTransactionalProducer } from './kafka-transactional-producer.ts'
import type { Compression } from './records/compression.ts'
import { TopicConfigs } from './topic-configs.ts'
import { WorkerSession } from './worker-session.ts'

export class KafkaBroker implements Broker {
  readonly kind = 'kafka'
  readonly topics: Topics
  readonly groups: Groups
  readonly #cluster: Cluster
  readonly #configs: TopicConfigs
  readonly #compression: Compression
  readonly #open = new Set<{ close(): Promise<void> | void }>()
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
      members: (groupId) => members.members(groupId),
      committedOffsets: (groupId, partitions) => committedOffsets(cluster, { groupId, partitions }),
      session: this.#sessions(sendableOptions(options)),
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
    const { clock = systemClock } = options
    const clusterSettings = clusterOptions(options, clock)
    const release = keepProcessAlive()
    try {
      const cluster = await Cluster.open(clusterSettings)
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

  /** In threads of their own, which connect as this client does. */
  #sessions(options: KafkaBrokerOptions | undefined): Groups['session'] {
    if (options === undefined) return undefined
    return (session: GroupSessionOptions) => {
      this.#checkOpen()
      const made = new WorkerSession({
        ...session,
        broker: options,
        clock: this.#cluster.clock,
        onClose: (closed) => this.#open.delete(closed),
      })
      this.#open.add(made)
      return made
    }
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
