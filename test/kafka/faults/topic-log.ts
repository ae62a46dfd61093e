/**
 * Everything committed in one topic so far: read on, never from the start again.
 *
 * One per topic and test. Records are kept as text with their partition and offset.
 */

import type { Broker, Fetcher, TopicPartition } from '../../../src/broker/port.ts'

export interface LogRecord {
  readonly partition: number
  readonly offset: bigint
  readonly key: string
  /** Null is a tombstone. */
  readonly value: string | null
}

const maxBytes = 4_000_000

export interface TopicLogOptions {
  /** By partition, where to begin; absent: at the start. */
  readonly from?: readonly bigint[]
}

export class TopicLog {
  readonly name: string
  readonly #broker: Broker
  readonly #next: bigint[] = []
  readonly #records: LogRecord[] = []
  #partitions: readonly TopicPartition[] = []

  constructor(broker: Broker, name: string, { from = [] }: TopicLogOptions = {}) {
    this.name = name
    this.#broker = broker
    this.#next.push(...from)
  }

  /** Everything until now; waits for transactions that are open. */
  async read(): Promise<readonly LogRecord[]> {
    if (this.#partitions.length === 0) await this.#describe()
    const ends = await Promise.all(
      this.#partitions.map(async (at) => (await this.#broker.topics.offsets(at)).highWatermark),
    )
    const isBehind = ({ partition }: TopicPartition): boolean =>
      this.#next[partition]! < ends[partition]!
    const fetcher = this.#broker.fetcher(`log-${this.name}`)
    try {
      for (;;) {
        const behind = this.#partitions.filter(isBehind)
        if (behind.length === 0) return this.#records
        await this.#fetch(fetcher, behind)
      }
    } finally {
      await fetcher.close()
    }
  }

  async #describe(): Promise<void> {
    const described = (await this.#broker.topics.describe([this.name])).get(this.name)
    if (described === undefined) throw new Error(`there is no topic ${this.name}`)
    this.#partitions = Array.from({ length: described.partitions }, (_, partition) => ({
      topic: this.name,
      partition,
    }))
    for (const at of this.#partitions) {
      this.#next[at.partition] ??= (await this.#broker.topics.offsets(at)).logStartOffset
    }
  }

  async #fetch(fetcher: Fetcher, behind: readonly TopicPartition[]): Promise<void> {
    const batches = await fetcher.fetch(
      behind.map((at) => ({ ...at, offset: this.#next[at.partition]!, maxBytes })),
      { isolation: 'read_committed', maxWaitMs: 100 },
    )
    for (const { partition, baseOffset, records, nextOffset } of batches) {
      for (const { key, value, offsetDelta } of records) {
        this.#records.push({
          partition,
          offset: baseOffset + BigInt(offsetDelta),
          key: Buffer.from(key!).toString(),
          value: value === null ? null : Buffer.from(value).toString(),
        })
      }
      this.#next[partition] = nextOffset
    }
  }
}
