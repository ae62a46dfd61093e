import type { Observable } from 'rxjs'
import { TopologyError } from '../errors/classes.ts'
import type { StreamRecord } from '../record.ts'
import type { Serdes } from '../serde/serde.ts'
import type { Store } from '../stores/store.ts'
import type { TableStore, Timestamped } from '../stores/table-store.ts'
import type { VersionedStore } from '../stores/versioned-store.ts'
import type { Topic } from '../topic.ts'
import type { GraphNode } from '../topology/graph.ts'
import { currentScope } from '../topology/scope.ts'
import type { Change } from './change.ts'
import { keepTable, passChanges } from './keep-table.ts'

/** Where a table may be kept: its latest values, or its history too. */
export type AnyTableStore<K, V> = TableStore<K, V> | VersionedStore<K, V>

/**
 * A collection of values by key that changes: read by joins, not a stream (see `toStream`).
 *
 * Made by `table`, by operators of tables and by aggregates. The fields are for operators.
 */
export interface Table<K, V> {
  readonly name: string
  readonly changes$: Observable<StreamRecord<K, Change<V>>>
  /** The store it is kept in itself; without one it is computed from the tables it came from. */
  readonly store: AnyTableStore<K, V> | undefined
  /** What a node must declare that looks values up: the stores they are computed from. */
  readonly stores: readonly Store[]
  /** Knows its past: look-ups may ask for it, and late updates do not replace the latest value. */
  readonly isVersioned: boolean
  /** Opens it for look-ups by a node that declared `stores`. */
  view(node: GraphNode): TableView<K, V>
  /**
   * Asks for `oldValue` in every change from now on; called while the topology is built.
   *
   * @returns false if the old values are nowhere stored: the changes will lack them
   */
  demandOldValues(): boolean
}

/** Values of a table as of the record in flight. */
export interface TableView<K, V> {
  row(key: K): Timestamped<V> | undefined
  /** As of a time of the past; only of a table that `isVersioned`. */
  rowAsOf(key: K, asOfMs: number): Timestamped<V> | undefined
  prefetch(keys: readonly K[]): void
}

/**
 * Keeps the latest value per key of a topic; null bytes delete.
 *
 * Records are applied in timestamp order with the task's other inputs, so a join sees the table as
 * of its own record. A late update overwrites, unless the store is versioned: then it goes into the
 * history. A record without a key is dropped and counted.
 *
 * @param topic  usually compacted; partition count as the streams that join it, checked at start
 * @param store  named by the caller, since its changelog must survive every edit; without one the
 *               table can be filtered, mapped and streamed, but not looked up
 * @returns      a handle for joins and table operators; it needs not be returned from the
 *               definition
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID if the topic is read already
 * @example      const customers = table(customerTopic, customerStore)
 */
export const table = <K, V>(topic: Topic<K, V>, store?: AnyTableStore<K, V>): Table<K, V> => {
  const scope = currentScope('table')
  type Update = StreamRecord<K, V | undefined>
  const { name } = topic
  const source = scope.node<Update>({
    kind: 'stream',
    role: 'source',
    name,
    topic,
    acceptsNull: true,
  })
  return store === undefined ? passChanges(scope, source) : keepTable(scope, source, store)
}

/** The serdes of a table's own store. @throws {TopologyError} it has none: give it one */
export const serdesOf = <K, V>({ name, store }: Table<K, V>, operator: string): Serdes<K, V> => {
  if (store !== undefined) return store
  throw new TopologyError(
    'STREAMS_TOPOLOGY_INVALID',
    `${operator} needs the table ${name} in a store of its own: give it one where it is made`,
  )
}
