/**
 * A real Kafka for the suites: the brokers that KAFKA_BOOTSTRAP names. Names are unique, so that
 * runs may share a cluster.
 */

import { randomUUID } from 'node:crypto'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import type { KafkaBrokerOptions } from '../../src/broker/kafka/kafka-broker-options.ts'
import type { Broker } from '../../src/broker/port.ts'
import type { BrokerHarness } from '../contract/broker/harness.ts'

export class KafkaHarness implements BrokerHarness {
  readonly #options: KafkaBrokerOptions
  readonly #brokers: KafkaBroker[] = []
  readonly #run = randomUUID().slice(0, 8)
  #names = 0

  constructor(options: KafkaBrokerOptions) {
    this.#options = options
  }

  async broker(): Promise<Broker> {
    const broker = await KafkaBroker.open({ retryTimeoutMs: 10_000, ...this.#options })
    this.#brokers.push(broker)
    return broker
  }

  uniqueName(prefix: string): string {
    this.#names += 1
    return `${prefix}-${this.#run}-${this.#names}`
  }

  passTime(ms: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, ms)
    })
  }

  nowMs(): number {
    return Date.now()
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker.close()))
  }
}
