import type { TableStore } from '../stores/table-store.ts'
import type { GroupFolds } from './aggregate-groups.ts'
import { groupAggregation, type GroupOperator } from './aggregation/group-aggregation.ts'

/**
 * Combines the values of each group of a table into one of the same type.
 *
 * The first value of a group is taken as it is.
 *
 * @param store  of groups and values; the node is named after it
 * @param folds  `subtract` takes out what `add` put in; `undefined` deletes the group
 * @returns      see `aggregateGroups`
 * @example      groupTable(carts, byShop, ({ shop, cents }) => [shop, cents]).pipe(
 *                 reduceGroups(sums, { add: (a, b) => a + b, subtract: (a, b) => a - b }))
 */
export const reduceGroups = <K, V>(
  store: TableStore<K, V>,
  { add, subtract }: GroupFolds<K, V, V>,
): GroupOperator<K, V, V> =>
  groupAggregation<K, V, V>('reduceGroups', store, {
    add: (combined, value, key) => (combined === undefined ? value : add(combined, value, key)),
    subtract,
  })
