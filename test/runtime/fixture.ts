/**
 * A site: one embedded broker, a clock moved by hand, and any number of instances that may die.
 *
 * Everything is made of real parts; a test lets time pass with `turn`, or `until` something is
 * true. An instance has its own disk and its own connection, which writes down every call.
 */

import { onTestFinished } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import {
  EmbeddedBroker,
  type EmbeddedBrokerOptions,
} from '../../src/broker/embedded/embedded-broker.ts'
import { EmbeddedBrokerFaults } from '../../src/broker/embedded/faults.ts'
import { partitionOf } from '../../src/broker/partitioner.ts'
import type { CommittedOffset, TopicConfig } from '../../src/broker/port.ts'
import { noHeaders, type StreamRecord } from '../../src/record.ts'
import { macrotask } from '../../src/runtime/sleep.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import type { Topic } from '../../src/topic.ts'
import { readTopic } from '../simulation/topics.ts'
import {
  type Instance,
  type InstanceOptions,
  isIdle,
  launchInstance,
  type Launched,
} from './instance.ts'

type BrokerSettings = Omit<EmbeddedBrokerOptions, 'engine' | 'clock' | 'faults'>

export class Site {
  readonly clock: ManualClock
  readonly faults: EmbeddedBrokerFaults
  readonly broker: EmbeddedBroker
  readonly brokerDisk: MemoryDisk
  /** True: no call of any instance reaches the broker. */
  isOut = false
  readonly #instances: Instance[] = []

  private constructor(
    broker: EmbeddedBroker,
    clock: ManualClock,
    options: {
      readonly faults: EmbeddedBrokerFaults
      readonly brokerDisk: MemoryDisk
    },
  ) {
    this.broker = broker
    this.clock = clock
    this.faults = options.faults
    this.brokerDisk = options.brokerDisk
  }

  /** @param brokerDisk  topics of an earlier life; no topics if absent */
  static async open(
    settings: BrokerSettings = {},
    brokerDisk = new MemoryDisk(),
    startMs = 1_000_000,
  ): Promise<Site> {
    const [clock, faults] = [new ManualClock(startMs), new EmbeddedBrokerFaults()]
    const broker = await EmbeddedBroker.open({
      seed: 7,
      ...settings,
      engine: MemoryEngine.create(brokerDisk),
      clock,
      faults,
    })
    const site = new Site(broker, clock, { faults, brokerDisk })
    onTestFinished(() => site.end())
    return site
  }

  async createTopics(
    topics: readonly { readonly name: string }[],
    partitions = 1,
    config?: Partial<TopicConfig>,
  ): Promise<void> {
    await this.broker.topics.create(
      topics.map(({ name }) => ({
        name,
        partitions,
        config: { cleanupPolicy: 'delete', retentionMs: -1, ...config },
      })),
    )
  }

  /** Makes an instance and lets its start go on by itself. */
  launch(options: InstanceOptions): Launched {
    const instance = launchInstance(this.broker, {
      clock: this.clock,
      ...options,
      traceClock: this.clock,
      isOut: () => this.isOut,
    })
    this.#instances.push(instance)
    return instance
  }

  /** @throws what `start` throws */
  async start(options: InstanceOptions): Promise<Instance> {
    const instance = this.launch(options)
    await this.settled(instance.started)
    return instance
  }

  /** Lets time pass until the promise is settled. @throws what it rejects with */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    promise.then(
      () => {
        isSettled = true
      },
      () => {
        isSettled = true
      },
    )
    await this.until(() => isSettled)
    return promise
  }

  async turn(times = 1, ms = 5): Promise<void> {
    for (let i = 0; i < times; i++) {
      this.clock.advanceBy(ms)
      for (let j = 0; j < 8; j++) await macrotask()
    }
  }

  /** @throws {Error} still false after many turns; the message shows the condition */
  async until(condition: () => boolean, ms = 5): Promise<void> {
    for (let turn = 0; turn < 3_000; turn++) {
      if (condition()) return
      await this.turn(1, ms)
    }
    throw new Error(`never: ${String(condition)}`)
  }

  /** Lets time pass until every living instance runs, and none has anything left to do. */
  async idle(): Promise<void> {
    let quiet = 0
    await this.until(() => {
      quiet = this.#instances.every(isIdle) ? quiet + 1 : 0
      return quiet > 8
    })
  }

  /** @param value  `undefined` is written as null */
  async send<K, V>(
    topic: Topic<K, V>,
    key: K,
    value: V | undefined,
    at: { readonly timestampMs?: number } = {},
  ): Promise<void> {
    const valueBytes = value === undefined ? null : topic.value.encode(value)
    await this.sendBytes(topic, topic.key.encode(key), valueBytes, at)
  }

  async sendBytes(
    topic: { readonly name: string },
    key: Uint8Array,
    value: Uint8Array | null,
    { timestampMs = this.clock.nowMs() }: { readonly timestampMs?: number } = {},
  ): Promise<void> {
    const { partitions } = (await this.broker.topics.describe([topic.name])).get(topic.name)!
    const records = [{ key, value, timestampMs, headers: noHeaders }]
    await this.broker
      .producer('loader')
      .send([{ topic: topic.name, partition: partitionOf(key, partitions), records }])
  }

  read<K, V>(topic: Topic<K, V>): Promise<StreamRecord<K, V>[]> {
    return readTopic(this.broker, topic)
  }

  /** Committed values of a topic, partition after partition. */
  async values<V>(topic: Topic<unknown, V>): Promise<readonly V[]> {
    return (await this.read(topic)).map(({ value }) => value)
  }

  async committed(topic: string, partition = 0, groupId = 'app'): Promise<CommittedOffset> {
    const [found] = await this.broker.groups.committedOffsets(groupId, [{ topic, partition }])
    if (found === undefined) throw new Error(`${groupId} committed nothing of ${topic}`)
    return found
  }

  async end(): Promise<void> {
    for (const { kill } of this.#instances) kill()
    this.broker.kill()
    this.brokerDisk.crash()
  }
}
