import type { TableStore } from '../stores/table-store.ts'
import { groupAggregation, type GroupOperator } from './aggregation/group-aggregation.ts'

/** How values enter and leave the aggregate of their group; both pure. */
export interface GroupFolds<K, V, A> {
  readonly add: (aggregate: A, value: V, key: K) => A | undefined
  /** Undoes `add`, whatever was added in between. */
  readonly subtract: (aggregate: A, value: V, key: K) => A | undefined
}

/**
 * Folds the rows of a grouped table into one value per group, which follows their changes.
 *
 * @param store    of groups and aggregates; the node is named after it
 * @param initial  called for a group without value
 * @param folds    `subtract` takes out what `add` put in; `undefined` deletes the aggregate
 * @returns        one record per change of a row, two for one that moves between groups
 * @example        groupTable(accounts, byRegion, ({ region, cents }) => [region, cents]).pipe(
 *                   aggregateGroups(totals, () => 0, {
 *                     add: (sum, cents) => sum + cents, subtract: (sum, cents) => sum - cents }))
 */
export const aggregateGroups = <K, V, A>(
  store: TableStore<K, A>,
  initial: () => A,
  { add, subtract }: GroupFolds<K, V, A>,
): GroupOperator<K, V, A> =>
  groupAggregation<K, V, A>('aggregateGroups', store, {
    add: (aggregate, value, key) =>
      add(aggregate === undefined ? initial() : aggregate, value, key),
    subtract,
  })
