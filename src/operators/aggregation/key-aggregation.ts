/**
 * Aggregates by key alone.
 *
 * 1. Records without key or value are dropped and counted. 2. In a table store the result carries
 * the highest timestamp that went into it since it was last absent; in a key-value store, which
 * keeps no time, that of the record. 3. A fold that returns nothing deletes, and says so, even if
 * there was nothing.
 */

import { StreamRecord } from '../../record.ts'
import type { KeyValueStore } from '../../stores/key-value-store.ts'
import type { TableStore, Timestamped } from '../../stores/table-store.ts'
import type { HotStream } from '../../topology/hot-stream.ts'
import { prefetchByKey } from '../../topology/prefetch.ts'
import type { Scope } from '../../topology/scope.ts'
import type { Fold } from './fold.ts'

/** With a table store results carry the time of what went into them. */
export type KeyAggregateStore<K, A> = KeyValueStore<K, A> | TableStore<K, A>

export class KeyAggregation<K, A> {
  readonly #out: HotStream<StreamRecord<K, A | undefined>>
  readonly #rows: TimedRows<K, A>
  readonly #scope: Scope

  constructor(out: HotStream<StreamRecord<K, A | undefined>>, store: KeyAggregateStore<K, A>) {
    this.#out = out
    this.#scope = out.scope
    this.#rows = openTimedRows(out, store)
    out.scope.addPrefetch(prefetchByKey(out.node, this.#rows))
  }

  add<V>(record: StreamRecord<K, V>, fold: Fold<K, V, A>): void {
    const { key, value, timestampMs, headers } = record
    const { name } = this.#out.node
    if (key === undefined) return this.#scope.countDropped(name, 'nullKey')
    if (value === undefined) return this.#scope.countDropped(name, 'nullValue')
    const stored = this.#rows.row(key)
    const updated = fold.step(stored?.value, value, key)
    const isLate = stored !== undefined && stored.timestampMs > timestampMs
    const updatedMs = isLate ? stored.timestampMs : timestampMs
    this.#rows.put(key, updated, updatedMs)
    this.#out.emit(new StreamRecord(key, updated, updatedMs, headers))
  }
}

/** What both kinds of stores open to. */
export interface TimedRows<K, A> {
  row(key: K): Timestamped<A> | undefined
  /** @param value  `undefined` deletes */
  put(key: K, value: A | undefined, timestampMs: number): void
  prefetch(keys: readonly K[]): void
}

/** A key-value store reads as if every row were older than any record. */
export const openTimedRows = <K, A>(
  { scope, node }: HotStream<unknown>,
  store: KeyAggregateStore<K, A>,
): TimedRows<K, A> => {
  if (store.kind === 'table') return scope.open(node, store)
  const rows = scope.open(node, store)
  return {
    row: (key) => {
      const value = rows.get(key)
      return value === undefined ? undefined : { value, timestampMs: -Infinity }
    },
    put: (key, value) => (value === undefined ? rows.delete(key) : rows.put(key, value)),
    prefetch: (keys) => rows.prefetch(keys),
  }
}
