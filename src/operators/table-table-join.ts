/**
 * The body of the joins of two tables: each side's change meets the other side's latest value.
 *
 * 1. The result of a key has the later time of both rows. 2. A change without a partner yields
 * nothing where the partner is needed, and where both sides are and were missing. 3. A late update
 * of a versioned table changes its history only, so it is dropped here and counted.
 */

import type { StreamRecord } from '../record.ts'
import type { TableStore, Timestamped } from '../stores/table-store.ts'
import { prefetchByKey } from '../topology/prefetch.ts'
import type { Scope } from '../topology/scope.ts'
import type { Change } from './change.ts'
import { DerivedTable } from './derived-table.ts'
import type { Table, TableView } from './table.ts'

/** Which sides a result needs. */
export type TableJoinKind = 'table-join' | 'table-left-join' | 'table-outer-join'

export interface TableJoin<K, A, B, W> {
  readonly kind: TableJoinKind
  readonly left: Table<K, A>
  readonly right: Table<K, B>
  readonly store: TableStore<K, W> | undefined
  /** Gets at least one side; which of them may be missing follows from the kind. */
  join(left: A | undefined, right: B | undefined, key: K): W
}

export const joinTwoTables = <K, A, B, W>(
  scope: Scope,
  { kind, left, right, store, join }: TableJoin<K, A, B, W>,
): Table<K, W> => {
  const needsLeft = kind !== 'table-outer-join'
  const needsRight = kind === 'table-join'
  const stores = [...left.stores, ...right.stores]
  const derived = new DerivedTable<K, W>(scope, {
    kind,
    store,
    reads: stores,
    sources: stores,
    isVersioned: false,
    computedView: (node) => {
      const [lefts, rights] = [left.view(node), right.view(node)]
      return joinedView(lefts, rights, (a, b, key) => {
        const isMissing = (needsLeft && a === undefined) || (needsRight && b === undefined)
        const hasNone = a === undefined && b === undefined
        return isMissing || hasNone ? undefined : join(a, b, key)
      })
    },
    demandOldValues: () => left.demandOldValues() && right.demandOldValues(),
  })
  const { node } = derived.out
  const [lefts, rights] = [left.view(node), right.view(node)]
  for (const view of [lefts, rights]) scope.addPrefetch(prefetchByKey(node, view))
  // whether a deletion deletes anything can be told by old values only
  if (!needsRight) left.demandOldValues()
  if (!needsLeft) right.demandOldValues()
  listenTo(derived, left, {
    others: rights,
    needsThis: needsLeft,
    needsOther: needsRight,
    join: (a, b, key) => join(a, b, key),
  })
  listenTo(derived, right, {
    others: lefts,
    needsThis: needsRight,
    needsOther: needsLeft,
    join: (b, a, key) => join(a, b, key),
  })
  return derived.table
}

interface Side<K, T, U, W> {
  readonly others: TableView<K, U>
  readonly needsThis: boolean
  readonly needsOther: boolean
  join(own: T | undefined, other: U | undefined, key: K): W
}

const listenTo = <K, T, U, W>(
  derived: DerivedTable<K, W>,
  table: Table<K, T>,
  { others, needsThis, needsOther, join }: Side<K, T, U, W>,
): void => {
  const { out } = derived
  const { name } = out.node
  const joined = (own: T | undefined, other: U | undefined, key: K): W | undefined =>
    own === undefined && (needsThis || other === undefined) ? undefined : join(own, other, key)
  out.listen(table.changes$, (record: StreamRecord<K, Change<T>>) => {
    const { key, value: change } = record
    if (!change.isLatest) return out.scope.countDropped(name, 'late')
    const row = others.row(key)
    if (row === undefined) {
      if (needsOther) return
      if (change.newValue === undefined && change.oldValue === undefined) return
    }
    const other = row?.value
    const newValue = joined(change.newValue, other, key)
    const { wantsOld, kept } = derived
    const oldValue = !wantsOld
      ? undefined
      : kept === undefined
        ? joined(change.oldValue, other, key)
        : kept.row(key)?.value
    const timestampMs = Math.max(record.timestampMs, row?.timestampMs ?? record.timestampMs)
    derived.update(record, { newValue, oldValue, timestampMs, isLatest: true })
  })
}

const joinedView = <K, A, B, W>(
  lefts: TableView<K, A>,
  rights: TableView<K, B>,
  join: (left: A | undefined, right: B | undefined, key: K) => W | undefined,
): TableView<K, W> => {
  const row = (key: K): Timestamped<W> | undefined => {
    const [left, right] = [lefts.row(key), rights.row(key)]
    const value = join(left?.value, right?.value, key)
    if (value === undefined) return undefined
    const timestampMs = Math.max(left?.timestampMs ?? 0, right?.timestampMs ?? 0)
    return { value, timestampMs }
  }
  return {
    row,
    rowAsOf: row, // never asked: a join of tables is not versioned
    prefetch(keys) {
      lefts.prefetch(keys)
      rights.prefetch(keys)
    },
  }
}
