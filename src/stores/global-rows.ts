/**
 * The latest value per key of a whole topic, the same for all tasks of an instance, in memory.
 *
 * Filled by `runtime/global-reader.ts` (or the test driver) between records; read by `joinGlobal`.
 * Nobody else writes it, so there is nothing to undo, no changelog and no commit: after a restart
 * it is read from its topic again.
 */

import { latin1FromBytes } from '../../state/key-layout.ts'
import type { Headers } from '../record.ts'
import type { Topic } from '../topic.ts'
import { KeyCodec } from './key-codec.ts'
import type { Timestamped } from './table-store.ts'

/** What a task asks. */
export interface Globals {
  /** @throws {Error} no global table of this topic is in the plan: a bug */
  rows(topicName: string): GlobalRows<unknown, unknown>
}

/** As it was fetched. */
export interface StoredRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestampMs: number
  readonly headers: Headers
}

export class GlobalRows<K, V> {
  readonly topic: Topic<K, V>
  readonly #keys: KeyCodec<K>
  readonly #rows = new Map<string, Timestamped<V>>()

  constructor(topic: Topic<K, V>) {
    this.topic = topic
    this.#keys = new KeyCodec(topic.key)
  }

  get size(): number {
    return this.#rows.size
  }

  row(key: K): Timestamped<V> | undefined {
    return this.#rows.get(this.#keys.toSlot(key))
  }

  *entries(): Generator<readonly [K, Timestamped<V>]> {
    for (const [slot, row] of this.#rows) yield [this.#keys.fromSlot(slot), row]
  }

  /**
   * Takes a record of the topic; one without a key is ignored, one without a value deletes.
   *
   * @throws {Error} what the value's serde says; the row is as it was
   */
  apply({ key, value, timestampMs, headers }: StoredRecord): void {
    if (key === null) return
    const slot = latin1FromBytes(key)
    if (value === null) return void this.#rows.delete(slot)
    const { value: serde } = this.topic
    const decoded = serde.decodeWith?.(value, headers) ?? serde.decode(value)
    this.#rows.set(slot, { value: decoded, timestampMs })
  }
}

/** All global tables of a topology, by the name of their topic. */
export class GlobalTables implements Globals {
  readonly #tables: ReadonlyMap<string, GlobalRows<unknown, unknown>>

  constructor(topics: Iterable<Topic<unknown, unknown>>) {
    this.#tables = new Map([...topics].map((topic) => [topic.name, new GlobalRows(topic)]))
  }

  get topicNames(): readonly string[] {
    return [...this.#tables.keys()]
  }

  find(topicName: string): GlobalRows<unknown, unknown> | undefined {
    return this.#tables.get(topicName)
  }

  rows(topicName: string): GlobalRows<unknown, unknown> {
    const found = this.find(topicName)
    if (found === undefined) throw new Error(`there is no global table of ${topicName}`)
    return found
  }
}
