/**
 * Writes commands to topics: what HTTP and the loaders produce with.
 *
 * Used by `local-shop.ts`. 1. Records that arrive while a send is in flight go out together with
 * the next one, so that many small writes cost few commits of the broker. 2. Records of one
 * partition keep their order. 3. A failed send rejects every write of it: commands carry ids, so
 * the sender may repeat them. 4. With a watch on the broker nobody waits for long: while it is away
 * nothing is written, and a write that gets no answer is told as of unknown outcome.
 */

import { BrokerError } from '../broker/errors.ts'
import { partitionOf } from '../broker/partitioner.ts'
import type { Broker, Producer, ProduceRecord, TopicPartition } from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import { noHeaders } from '../record.ts'
import type { StampHeaders } from '../task/producer-headers.ts'
import type { Topic } from '../topic.ts'

interface Pending {
  readonly topic: string
  readonly partition: number
  readonly record: ProduceRecord
}

interface BrokerNames {
  of(topic: string): string
}

export interface CommandWriterOptions {
  readonly broker: Broker
  readonly clock: Clock
  /** Every topic that will be written to, by its handle's name; they must exist. */
  readonly topics: readonly string[]
  /** What they are called at the broker; the same if absent. */
  readonly names?: BrokerNames
  /** Whether the broker is away; without it a write waits as long as its producer. */
  readonly isSilent?: (() => boolean) | undefined
  /** Headers of every record; none if absent. */
  readonly stamp?: StampHeaders | undefined
}

const sameNames: BrokerNames = { of: (topic) => topic }

/** A client of ours may wait so long; the broker client goes on trying for longer. */
const answerMaxMs = 4_000

export class CommandWriter {
  readonly #producer: Producer
  readonly #clock: Clock
  readonly #partitions: ReadonlyMap<string, number>
  #pending: Pending[] = []
  /** Of what is pending: when it is sent, and what its writers are told. */
  #next: Promise<void> | undefined
  #told: Promise<void> = Promise.resolve()
  #inFlight: Promise<void> = Promise.resolve()

  readonly #isSilent: (() => boolean) | undefined
  readonly #stamp: StampHeaders | undefined
  readonly #names: BrokerNames

  private constructor(
    producer: Producer,
    partitions: ReadonlyMap<string, number>,
    { clock, names = sameNames, isSilent, stamp }: CommandWriterOptions,
  ) {
    this.#producer = producer
    this.#clock = clock
    this.#partitions = partitions
    this.#isSilent = isSilent
    this.#stamp = stamp
    this.#names = names
  }

  static async open(options: CommandWriterOptions): Promise<CommandWriter> {
    const { broker, topics, names = sameNames } = options
    const described = await broker.topics.describe(topics.map((topic) => names.of(topic)))
    const partitions = new Map([...described].map(([name, topic]) => [name, topic.partitions]))
    return new CommandWriter(broker.producer('commands'), partitions, options)
  }

  /**
   * Resolves when the record is durable.
   *
   * @throws {BrokerError} BROKER_UNAVAILABLE; BROKER_UNKNOWN_OUTCOME: it may be written, now or
   * later; write it again under the same id
   */
  async write<K, V>(topic: Topic<K, V>, key: K, value: V): Promise<void> {
    this.check()
    const timestampMs = this.#clock.nowMs()
    this.#pending.push({
      ...this.place(topic, key),
      record: {
        key: topic.key.encode(key),
        value: topic.value.encode(value),
        timestampMs,
        headers: this.#stamp?.(noHeaders, timestampMs) ?? noHeaders,
      },
    })
    if (this.#next === undefined) {
      this.#next = this.#sendAfter(this.#inFlight)
      this.#told = this.inTime(this.#next)
    }
    return this.#told
  }

  /** Where records of the key lie, at the broker. */
  place<K>(topic: Pick<Topic<K, unknown>, 'name' | 'key'>, key: K): TopicPartition {
    const name = this.topicName(topic)
    const partitions = this.#partitions.get(name)
    if (partitions === undefined) throw new Error(`topic ${name} was not opened for writing`)
    return { topic: name, partition: partitionOf(topic.key.encode(key), partitions) }
  }

  /** At the broker. */
  topicName({ name }: Pick<Topic<unknown, unknown>, 'name'>): string {
    return this.#names.of(name)
  }

  /** @throws {BrokerError} BROKER_UNAVAILABLE: it is away; nothing was asked of it */
  check(): void {
    if (this.#isSilent?.() !== true) return
    throw new BrokerError('BROKER_UNAVAILABLE', 'the broker does not answer; nothing was written')
  }

  /**
   * What a call of the broker gives, or its unknown outcome after a few seconds.
   *
   * @throws {BrokerError} BROKER_UNKNOWN_OUTCOME: no answer yet; the call goes on
   */
  async inTime<T>(called: Promise<T>): Promise<T> {
    if (this.#isSilent === undefined) return called
    called.catch(() => {}) // it may fail when nobody waits any more
    const late = Promise.withResolvers<never>()
    const cancel = this.#clock.setTimer(answerMaxMs, () => {
      const seconds = answerMaxMs / 1_000
      const message = `no answer of the broker within ${seconds} s; the command may be written`
      late.reject(new BrokerError('BROKER_UNKNOWN_OUTCOME', message))
    })
    try {
      return await Promise.race([called, late.promise])
    } finally {
      cancel()
    }
  }

  /** Waits for what is being written, but not for a broker that is away. */
  async close(): Promise<void> {
    if (this.#isSilent?.() !== true) {
      await (this.#next === undefined ? undefined : this.#told.catch(() => {}))
      await this.inTime(this.#inFlight).catch(() => {})
    }
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
