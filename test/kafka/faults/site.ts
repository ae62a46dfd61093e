/**
 * One run of the fault tests' application on a cluster: its topics, its load, its fleet.
 *
 * Every site has names of its own, so that tests share a cluster. 1. The loader is idempotent only,
 * and goes on when brokers do not answer: what was really written is read back by the verifier.
 * 2. `settled` waits until everything that was loaded had its whole effect, and no more.
 */

import { randomUUID } from 'node:crypto'
import { partitionOf } from '../../../src/broker/partitioner.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import { KafkaBroker } from '../../../src/broker/kafka/kafka-broker.ts'
import type { ProduceBatch } from '../../../src/broker/port.ts'
import { noHeaders } from '../../../src/record.ts'
import { Prng } from '../../../src/testing/prng.ts'
import { type Entry, faultTopics } from './fault-topology.ts'
import { Fleet, type FleetOptions } from './fleet.ts'
import { TopicLog } from './topic-log.ts'
import { pause, until } from './until.ts'
import { differences } from './verifier.ts'

export interface SiteOptions extends Omit<FleetOptions, 'name' | 'bootstrap'> {
  /** For the test itself. */
  readonly bootstrap: string
  /** For the workers: a proxy, perhaps. */
  readonly workerBootstrap?: string
  readonly partitions?: number
  /** Of topics made here; default the cluster's. */
  readonly replicationFactor?: number
}

export interface Loading {
  /** Entries acknowledged so far. */
  readonly count: number
  stop(): Promise<void>
}

const accounts = Array.from({ length: 24 }, (_, index) => `account-${index}`)
const branches = ['north', 'south', 'west', 'east', 'centre', 'harbour'] as const
const waves = { records: 8, everyMs: 25 }

export class FaultSite {
  readonly name = `faults-${randomUUID().slice(0, 8)}`
  readonly broker: KafkaBroker
  readonly fleet: Fleet
  readonly topics = faultTopics(this.name)
  readonly partitions: number
  readonly #logs = new Map<string, TopicLog>()
  readonly #prng = new Prng(20_261_121)
  #ids = 0

  private constructor(broker: KafkaBroker, options: SiteOptions) {
    const { workerBootstrap, bootstrap, partitions = 4, replicationFactor: _, ...rest } = options
    this.broker = broker
    this.partitions = partitions
    this.fleet = new Fleet({ ...rest, name: this.name, bootstrap: workerBootstrap ?? bootstrap })
  }

  static async open(options: SiteOptions): Promise<FaultSite> {
    const { bootstrap, replicationFactor } = options
    const broker = await KafkaBroker.open({
      bootstrap,
      clientId: 'site',
      requestTimeoutMs: 5_000,
      ...(replicationFactor === undefined ? {} : { replicationFactor }),
    })
    const site = new FaultSite(broker, options)
    await broker.topics.create(
      Object.values(site.topics).map(({ name }) => ({
        name,
        partitions: site.partitions,
        config: { cleanupPolicy: 'delete', retentionMs: -1 },
      })),
    )
    return site
  }

  changelog(store: string): string {
    return `${this.name}-${store}-changelog`
  }

  /** Loads so many entries now. */
  async load(count: number): Promise<void> {
    const producer = this.broker.producer('loader')
    await producer.send(this.#entries(count))
    await producer.close()
  }

  /** Loads on and on, about 300 entries a second. */
  startLoading(): Loading {
    let isStopped = false
    let count = 0
    const loading = (async () => {
      let producer = this.broker.producer('loader')
      while (!isStopped) {
        try {
          await producer.send(this.#entries(waves.records))
          count += waves.records
        } catch (error) {
          if (!(error instanceof BrokerError)) throw error
          await producer.close()
          producer = this.broker.producer('loader')
        }
        await pause(waves.everyMs)
      }
      await producer.close()
    })()
    loading.catch(() => {}) // `stop` tells
    return {
      get count() {
        return count
      },
      stop: async () => {
        isStopped = true
        await loading
      },
    }
  }

  log(topic: string): TopicLog {
    let log = this.#logs.get(topic)
    if (log === undefined) this.#logs.set(topic, (log = new TopicLog(this.broker, topic)))
    return log
  }

  /** Every entry has had its outputs, and nothing is open any more. */
  async settled(maxMs = 60_000): Promise<void> {
    const { entries, balances, branchCounts, reports } = this.topics
    const state = { wanted: 0, counts: [0] }
    await until(
      'every entry is summed, counted and reported',
      async () => {
        state.wanted = (await this.log(entries.name).read()).length
        state.counts = []
        for (const { name } of [balances, branchCounts, reports]) {
          state.counts.push((await this.log(name).read()).length)
        }
        return state.counts.every((count) => count >= state.wanted)
      },
      {
        maxMs,
        because: () =>
          `${state.counts.join(', ')} of ${state.wanted}\n${this.fleet.alive.join('\n')}`,
      },
    )
  }

  /** What is wrong, by the raw input; empty if nothing is. Call it when settled. */
  differences(): Promise<readonly string[]> {
    return differences(this)
  }

  async close(): Promise<void> {
    await this.fleet.end()
    await this.broker.close()
  }

  #entries(count: number): readonly ProduceBatch[] {
    const made = Array.from({ length: count }, () => {
      const entry: Entry = {
        id: this.#ids++,
        cents: 1 + this.#prng.int(500),
        branch: this.#prng.pick(branches),
      }
      const key = this.topics.entries.key.encode(this.#prng.pick(accounts))
      const value = this.topics.entries.value.encode(entry)
      return { key, value, timestampMs: Date.now(), headers: noHeaders }
    })
    const byPartition = Map.groupBy(made, ({ key }) => partitionOf(key, this.partitions))
    return [...byPartition].map(([partition, records]) => ({
      topic: this.topics.entries.name,
      partition,
      records,
    }))
  }
}
