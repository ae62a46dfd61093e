/**
 * Writes commands to topics: what HTTP and the loaders produce with.
 *
 * Used by `local-shop.ts`. 1. Records that arrive while a send is in flight go out together with
 * the next one, so that many small writes cost few commits of the broker. 2. Records of one
 * partition keep their order. 3. A failed send rejects every write of it: commands carry ids, so
 * the sender may repeat them.
 */

import { partitionOf } from '../broker/partitioner.ts'
import { type Broker, type Producer, type ProduceRecord } from '../broker/port.ts'
import { type Clock } from '../clock.ts'
import { noHeaders } from '../record.ts'
import { type Topic } from '../topic.ts'

interface Pending {
  readonly topic: string
  readonly partition: number
  readonly record: ProduceRecord
}

export class CommandWriter {
  readonly #producer: Producer
  readonly #clock: Clock
  readonly #partitions: ReadonlyMap<string, number>
  #pending: Pending[] = []
  #next: Promise<void> | undefined
  #inFlight: Promise<void> = Promise.resolve()

  private constructor(producer: Producer, clock: Clock, partitions: ReadonlyMap<string, number>) {
    this.#producer = producer
    this.#clock = clock
    this.#partitions = partitions
  }

  /** @param topics  every topic that will be written to; they must exist */
  static async open(
    broker: Broker,
    clock: Clock,
    topics: readonly string[],
  ): Promise<CommandWriter> {
    const described = await broker.topics.describe(topics)
    const partitions = new Map([...described].map(([name, topic]) => [name, topic.partitions]))
    return new CommandWriter(broker.producer('commands'), clock, partitions)
  }

  /** Resolves when the record is durable. */
  write<K, V>(topic: Topic<K, V>, key: K, value: V): Promise<void> {
    this.#pending.push({
      topic: topic.name,
      partition: this.place(topic, key).partition,
      record: {
        key: topic.key.encode(key),
        value: topic.value.encode(value),
        timestampMs: this.#clock.nowMs(),
        headers: noHeaders,
      },
    })
    this.#next ??= this.#sendAfter(this.#inFlight)
    return this.#next
  }

  /** Where records of the key lie. */
  place<K>(
    topic: Pick<Topic<K, unknown>, 'name' | 'key'>,
    key: K,
  ): { readonly partition: number; readonly partitions: number } {
    const partitions = this.#partitions.get(topic.name)
    if (partitions === undefined) throw new Error(`topic ${topic.name} was not opened for writing`)
    return { partition: partitionOf(topic.key.encode(key), partitions), partitions }
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#next?.catch(() => {})
    await this.#inFlight.catch(() => {})
    await this.#producer.close()
  }

  async #sendAfter(previous: Promise<void>): Promise<void> {
    await previous.catch(() => {})
    const records = this.#pending
    this.#pending = []
    this.#inFlight = this.#next!
    this.#next = undefined
    const batches = new Map<
      string,
      { topic: string; partition: number; records: ProduceRecord[] }
    >()
    for (const { topic, partition, record } of records) {
      const name = `${topic}-${partition}`
      const batch = batches.get(name)
      if (batch === undefined) batches.set(name, { topic, partition, records: [record] })
      else batch.records.push(record)
    }
    await this.#producer.send([...batches.values()])
  }
}
