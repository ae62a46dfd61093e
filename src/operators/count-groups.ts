import type { TableStore } from '../stores/table-store.ts'
import { groupAggregation, type GroupOperator } from './aggregation/group-aggregation.ts'

/**
 * Counts the rows of each group of a table.
 *
 * A group whose last row left counts 0; it is not deleted.
 *
 * @param store  of groups and counts; the node is named after it
 * @returns      see `aggregateGroups`
 * @example      groupTable(users, byCity, ({ city }) => [city, 1]).pipe(countGroups(sizes))
 */
export const countGroups = <K>(store: TableStore<K, number>): GroupOperator<K, unknown, number> =>
  groupAggregation<K, unknown, number>('countGroups', store, {
    add: (counted) => (counted ?? 0) + 1,
    subtract: (counted) => counted - 1,
  })
