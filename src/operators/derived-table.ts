/**
 * Tables made of other tables: what filters, mappings and joins of tables share.
 *
 * 1. A result is kept if it was given a store, else its look-ups are computed from the tables it
 * came from. 2. Old values come from the own store if there is one, else from what the tables
 * before can tell. 3. A kept result answers for now only, even if it came from versioned tables.
 */

import { StreamRecord } from '../record.ts'
import type { Store } from '../stores/store.ts'
import type { TableRows, TableStore } from '../stores/table-store.ts'
import type { GraphNode } from '../topology/graph.ts'
import type { HotStream } from '../topology/hot-stream.ts'
import { prefetchByKey } from '../topology/prefetch.ts'
import type { Scope } from '../topology/scope.ts'
import { Change } from './change.ts'
import { viewOf } from './keep-table.ts'
import type { Table, TableView } from './table.ts'

export interface DerivedTableSpec<K, V> {
  /** Starts with `table`: such a node needs no consumer. */
  readonly kind: `table-${string}`
  readonly store: TableStore<K, V> | undefined
  /** Stores the node reads for each record, besides its own. */
  readonly reads: readonly Store[]
  /** Stores its look-ups are computed from where it has none of its own. */
  readonly sources: readonly Store[]
  readonly isVersioned: boolean
  computedView(node: GraphNode): TableView<K, V>
  /** Asks the tables before for old values; false if they cannot tell them. */
  demandOldValues(): boolean
}

export class DerivedTable<K, V> {
  readonly out: HotStream<StreamRecord<K, Change<V>>>
  readonly table: Table<K, V>
  /** Somebody asked for old values, and they can be told. */
  wantsOld = false
  /** Its own store; `undefined` if it is computed. */
  readonly kept: TableRows<K, V> | undefined

  constructor(scope: Scope, spec: DerivedTableSpec<K, V>) {
    const { kind, store, reads, sources, isVersioned } = spec
    const own = store === undefined ? [] : [store]
    this.out = scope.node({
      kind,
      stores: [...new Set([...own, ...reads])],
      ...(store && { name: store.name }),
    })
    const { node } = this.out
    this.kept = store && scope.open(node, store)
    if (this.kept !== undefined) scope.addPrefetch(prefetchByKey(node, this.kept))
    this.table = {
      name: node.name,
      changes$: this.out,
      store,
      stores: store === undefined ? [...new Set(sources)] : own,
      isVersioned: isVersioned && store === undefined,
      view: (reader) =>
        store === undefined ? spec.computedView(reader) : viewOf(scope, reader, store),
      demandOldValues: () => {
        const isKnown = this.kept !== undefined || spec.demandOldValues()
        if (isKnown) this.wantsOld = true
        return isKnown
      },
    }
  }

  /** Keeps the new value and tells those who read the table. */
  update({ key, headers }: StreamRecord<K, unknown>, update: TableUpdate<V>): void {
    const { newValue, oldValue, timestampMs, isLatest } = update
    this.kept?.put(key, newValue, timestampMs)
    const change = new Change(newValue, oldValue, isLatest)
    this.out.emit(new StreamRecord(key, change, timestampMs, headers))
  }
}

export interface TableUpdate<V> extends Pick<Change<V>, 'newValue' | 'oldValue' | 'isLatest'> {
  readonly timestampMs: number
}
