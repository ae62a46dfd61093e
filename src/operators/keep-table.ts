/**
 * Turns a stream of updates into a table: the part that `table`, `toTable` and results share.
 *
 * 1. A record without a key is dropped and counted. 2. The old value is read only if somebody asked
 * for it. 3. What a versioned store refuses as too old goes no further.
 */

import type { Observable } from 'rxjs'
import { TopologyError } from '../errors/classes.ts'
import type { StreamRecord } from '../record.ts'
import type { TableRows } from '../stores/table-store.ts'
import type { GraphNode } from '../topology/graph.ts'
import { prefetchByKey } from '../topology/prefetch.ts'
import type { Scope } from '../topology/scope.ts'
import { Change } from './change.ts'
import type { AnyTableStore, Table, TableView } from './table.ts'

/** Keeps each update in the store; the node is named after it. */
export const keepTable = <K, V>(
  scope: Scope,
  source: Observable<StreamRecord<K, V | undefined>>,
  store: AnyTableStore<K, V>,
): Table<K, V> => {
  const { name } = store
  const out = scope.node<StreamRecord<K, Change<V>>>({ kind: 'table', name, stores: [store] })
  const rows = viewOf(scope, out.node, store)
  let wantsOld = false
  scope.addPrefetch(prefetchByKey(out.node, rows))
  out.listen(source, (record) => {
    const { key, value, timestampMs } = record
    if (key === undefined) return scope.countDropped(name, 'nullKey')
    const oldValue = wantsOld ? rows.row(key)?.value : undefined
    const result = rows.put(key, value, timestampMs)
    if (result === 'expired') return scope.countDropped(name, 'late')
    out.emit(record.withValue(new Change(value, oldValue, result === 'latest')))
  })
  return {
    name,
    changes$: out,
    store,
    stores: [store],
    isVersioned: store.kind === 'versioned',
    view: (node) => viewOf(scope, node, store),
    demandOldValues: () => (wantsOld = true),
  }
}

/** A table that is not kept anywhere: its changes lack old values and cannot be looked up. */
export const passChanges = <K, V>(
  scope: Scope,
  source: Observable<StreamRecord<K, V | undefined>>,
): Table<K, V> => {
  const out = scope.node<StreamRecord<K, Change<V>>>({ kind: 'table' })
  const { name } = out.node
  out.listen(source, (record) => {
    if (record.key === undefined) return scope.countDropped(name, 'nullKey')
    out.emit(record.withValue(new Change(record.value, undefined, true)))
  })
  return {
    name,
    changes$: out,
    store: undefined,
    stores: [],
    isVersioned: false,
    view: () => {
      throw new TopologyError(
        'STREAMS_TOPOLOGY_INVALID',
        `the table ${name} is not kept, so it cannot be looked up: give table() a store`,
      )
    },
    demandOldValues: () => false,
  }
}

/** Rows of a table's store for a node; `rowAsOf` is there, and asked, only if it is versioned. */
export const viewOf = <K, V>(
  scope: Scope,
  node: GraphNode,
  store: AnyTableStore<K, V>,
): TableRows<K, V> & TableView<K, V> =>
  scope.open<TableRows<K, V>>(node, store) as TableRows<K, V> & TableView<K, V>
