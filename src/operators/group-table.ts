import type { Observable } from 'rxjs'
import { TopologyError } from '../errors/classes.ts'
import { StreamRecord } from '../record.ts'
import type { Replacement } from '../serde/replacement.ts'
import type { RepartitionTopic } from '../topic.ts'
import { currentScope, type SinkSpec } from '../topology/scope.ts'
import type { Table } from './table.ts'

/**
 * Groups the rows of a table under other keys, for `countGroups`, `reduceGroups` and
 * `aggregateGroups`.
 *
 * A row that changes within its group is one record (take the old value out, put the new one in);
 * one that moves is two, first out of the old group, then into the new. A row for which `select`
 * returns no key or no value is in no group.
 *
 * @param table    needs old values: it, or a table before it, must be kept in a store
 * @param through  internal topic: stable name, key serde of the group, `replacement` of the value
 * @param select   pure; the group of a row and what of it is aggregated
 * @returns        replacements by group, as read back from the internal topic
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID if no old values are kept: give it a store
 * @example        groupTable(accounts, byRegion, ({ region, cents }) => [region, cents])
 */
export const groupTable = <K, V, K2, W>(
  table: Table<K, V>,
  through: RepartitionTopic<K2, Replacement<W>>,
  select: (value: V, key: K) => readonly [K2 | undefined, W | undefined],
): Observable<StreamRecord<K2, Replacement<W>>> => {
  const scope = currentScope('groupTable')
  if (!table.demandOldValues()) {
    throw new TopologyError(
      'STREAMS_TOPOLOGY_INVALID',
      `groupTable needs the old values of ${table.name}, which is kept nowhere: give it a store`,
    )
  }
  const name = `${through.name}-repartition`
  const spec = { kind: 'repartition', topic: through, isInternal: true } as const
  const out = scope.node<never>({ ...spec, role: 'sink', name: `to-${name}` })
  const sink: SinkSpec = { nodeName: out.node.name, topic: through, isInternal: true }
  out.listen(table.changes$, ({ key, value: change, timestampMs, headers }) => {
    if (!change.isLatest) return // only the history of a versioned table changed
    const { oldValue, newValue } = change
    const from = oldValue === undefined ? none : select(oldValue, key)
    const to = newValue === undefined ? none : select(newValue, key)
    const stage = (group: K2, replaced: Replacement<W>): void =>
      scope.stage(sink, new StreamRecord(group, replaced, timestampMs, headers))
    const isFrom = isGrouped(from)
    const isTo = isGrouped(to)
    if (isFrom && isTo && isSameKey(through as RepartitionTopic<K2, unknown>, from[0], to[0])) {
      return stage(to[0], { oldValue: from[1], newValue: to[1] })
    }
    if (isFrom) stage(from[0], { oldValue: from[1], newValue: undefined })
    if (isTo) stage(to[0], { oldValue: undefined, newValue: to[1] })
  })
  return scope.node<StreamRecord<K2, Replacement<W>>>({ ...spec, role: 'source', name })
}

const none = [undefined, undefined] as const

const isGrouped = <K, W>(
  pair: readonly [K | undefined, W | undefined],
): pair is readonly [K & {}, W & {}] => pair[0] !== undefined && pair[1] !== undefined

const isSameKey = <K>({ key }: RepartitionTopic<K, unknown>, a: K, b: K): boolean =>
  a === b || Buffer.compare(key.encode(a), key.encode(b)) === 0
