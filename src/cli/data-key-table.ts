/**
 * The data keys of customers, wrapped, as `ecom.data-keys` has them.
 *
 * Read by whoever seals or opens personal data (`personal-vault.ts`); knows no master key. 1. A
 * record is a key of a customer, or the note that it was destroyed, under the key's own id: the
 * note takes the key's place, and compaction removes it from the topic. It is no tombstone, since
 * a key that was lost must not look like one that was erased. What is destroyed stays so. 2. Of
 * several keys of a customer, made at once by replicas, the one with the lowest offset counts, for
 * everybody. 3. Nothing follows the topic: it is asked for its end before each use, so an erasure
 * counts everywhere as soon as it is durable, and an order without personal data costs nothing.
 * 4. Keys are added here, and changed by `data-key-changes.ts` alone.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { dataKeysTopic } from '../../topologies/shop/shared/topics.ts'
import { PersonalDataError } from '../../topologies/shop/personal/personal-data-error.ts'
import { BrokerError } from '../broker/errors.ts'
import type {
  Broker,
  PartitionOffsets,
  Producer,
  ProduceRecord,
  TopicPartition,
} from '../broker/port.ts'
import { readCommitted, type ReadRecord } from '../broker/read-committed.ts'
import type { Clock } from '../clock.ts'
import { noHeaders } from '../record.ts'

/** A key that lives. */
export interface WrappedKey {
  readonly customerId: string
  /** The data key under the master key, base64url. */
  readonly wrapped: string
  /** Fingerprint of that master key. */
  readonly master: string
}

interface ErasedKey {
  readonly customerId: string
  /** ISO-8601. */
  readonly erasedAt: string
}

export type KeyRow = WrappedKey | ErasedKey

export const isErased = (row: KeyRow): row is ErasedKey => 'erasedAt' in row

export const dataKeyPlace: TopicPartition = { topic: dataKeysTopic.name, partition: 0 }
const openTransactionPollMs = 20
const decoder = new TextDecoder()
const encoder = new TextEncoder()

export class DataKeyTable {
  readonly #broker: Broker
  readonly #clock: Clock
  readonly #rows = new Map<string, KeyRow>()
  /** Ids of the keys of a customer that live, in the order of their offsets. */
  readonly #live = new Map<string, readonly string[]>()
  readonly #masters = new Map<string, number>()
  #position = 0n
  #producer: Producer | undefined
  /** The reading under way, and the next, which begins after it. */
  #running: Promise<void> = Promise.resolve()
  #queued: Promise<void> | undefined

  constructor(broker: Broker, clock: Clock) {
    this.#broker = broker
    this.#clock = clock
  }

  /**
   * Resolves when everything is known that was written before the call.
   *
   * @throws {PersonalDataError} the topic is missing, was cut, or holds what is no key
   */
  refresh(): Promise<void> {
    this.#queued ??= this.#running.then(() => {
      this.#queued = undefined
      const reading = this.#read()
      this.#running = reading.catch(() => {})
      return reading
    })
    return this.#queued
  }

  row(keyId: string): KeyRow | undefined {
    return this.#rows.get(keyId)
  }

  /** The id of the key that the customer's texts are sealed by now. */
  currentKeyId(customerId: string): string | undefined {
    return this.#live.get(customerId)?.[0]
  }

  /** How many keys live under each master key, by its fingerprint. */
  get masters(): ReadonlyMap<string, number> {
    return this.#masters
  }

  /** Resolves when it is durable; whether it is the one that counts, `refresh` tells. */
  async add(keyId: string, row: WrappedKey): Promise<void> {
    this.#producer ??= this.#broker.producer('data-keys')
    const records = [keyRecord(keyId, row, this.#clock.nowMs())]
    await this.#producer.send([{ ...dataKeyPlace, records }])
  }

  /** Ids of the keys that live, by customer, each in the order of their offsets. */
  liveKeys(): readonly (readonly string[])[] {
    return [...this.#live.values()]
  }

  /** Of the customer's keys that live. */
  keysOf(customerId: string): readonly string[] {
    return this.#live.get(customerId) ?? []
  }

  async close(): Promise<void> {
    await this.#producer?.close()
  }

  async #read(): Promise<void> {
    const to = await this.#end()
    if (to < this.#position) throw cut(`it ends at ${to}, and was read to ${this.#position} before`)
    for await (const read of readCommitted(this.#broker, {
      ...dataKeyPlace,
      from: this.#position,
      to,
    })) {
      this.#apply(read)
      this.#position = read.offset + 1n
    }
    this.#position = to
  }

  /** The stable end, once it is not before what was written when this was asked. */
  async #end(): Promise<bigint> {
    const { highWatermark, lastStableOffset } = await this.#offsets()
    let stable = lastStableOffset
    while (stable < highWatermark) {
      // keys are being changed; of a process that was killed the brokers end it within seconds
      await sleep(openTransactionPollMs)
      stable = (await this.#offsets()).lastStableOffset
    }
    return stable
  }

  async #offsets(): Promise<PartitionOffsets> {
    try {
      return await this.#broker.topics.offsets(dataKeyPlace)
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'BROKER_UNKNOWN_TOPIC') throw error
      throw cut('it is not there; millrace topics apply makes one, which is empty')
    }
  }

  #apply({ offset, record: { key, value } }: ReadRecord): void {
    const row = rowOf(value)
    if (key === null || row === undefined) {
      throw new PersonalDataError(
        `The record at offset ${offset} of ${dataKeysTopic.name} is no data key: remove what wrote `
          + 'it.',
      )
    }
    const keyId = decoder.decode(key)
    const known = this.#rows.get(keyId)
    if (known !== undefined && isErased(known)) return
    if (known !== undefined) this.#countMaster(known.master, -1)
    if (!isErased(row)) this.#countMaster(row.master, 1)
    const others = this.#live.get(row.customerId)?.filter((each) => each !== keyId) ?? []
    const live = isErased(row) ? others : [...others, keyId]
    this.#rows.set(keyId, row)
    if (live.length === 0) this.#live.delete(row.customerId)
    else this.#live.set(row.customerId, live)
  }

  #countMaster(master: string, by: number): void {
    const count = (this.#masters.get(master) ?? 0) + by
    if (count === 0) this.#masters.delete(master)
    else this.#masters.set(master, count)
  }
}

/** A row as it lies on the topic. */
export const keyRecord = (keyId: string, row: KeyRow, nowMs: number): ProduceRecord => ({
  key: encoder.encode(keyId),
  value: encoder.encode(JSON.stringify(row)),
  timestampMs: nowMs,
  headers: noHeaders,
})

/** What a key's record says; undefined if it says something else. */
const rowOf = (value: Uint8Array | null): KeyRow | undefined => {
  if (value === null) return undefined
  let row: Readonly<Record<string, unknown>> | null
  try {
    row = JSON.parse(decoder.decode(value)) as typeof row
  } catch {
    return undefined
  }
  const isText = (field: string): boolean => typeof row?.[field] === 'string'
  const isRow =
    isText('customerId') && (isText('erasedAt') || (isText('wrapped') && isText('master')))
  return isRow ? (row as unknown as KeyRow) : undefined
}

const cut = (how: string): PersonalDataError =>
  new PersonalDataError(
    `The topic ${dataKeysTopic.name} is not what it was: ${how}. What its keys sealed cannot be `
      + 'read; restore the topic from its copy.',
  )
