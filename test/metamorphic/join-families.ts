/** Joins of all kinds, tables and what is made of them. */

import {
  aggregateGroups,
  countGroups,
  filterTable,
  foreignKeyStore,
  groupTable,
  joinStore,
  joinTable,
  joinTables,
  joinTablesByForeignKey,
  joinWithin,
  json,
  leftJoinTable,
  leftJoinTables,
  leftJoinTablesByForeignKey,
  leftJoinWithin,
  mapTableValues,
  outerJoinTables,
  outerJoinWithin,
  repartitionTopic,
  replacement,
  stream,
  table,
  type Table,
  tableStore,
  to,
  topology,
  toStream,
  utf8,
  versionedStore,
  waitingStore,
} from '../../src/index.ts'
import {
  add,
  anyOutputs,
  both,
  counts,
  type Family,
  left,
  out,
  right,
  type Times,
  type Values,
  zero,
} from './family.ts'

const inputs = [left, right] as const
const outputs = anyOutputs(out)

export const joinFamilies = (times: Times): Readonly<Record<string, Family>> => ({
  ...streamJoins(times),
  ...streamTableJoins(times),
  ...tableFamilies(),
  ...foreignKeyFamilies(),
})

const streamJoins = ({ graceMs }: Times): Readonly<Record<string, Family>> => {
  const joins = { joinWithin, leftJoinWithin, outerJoinWithin }
  return Object.fromEntries(
    (['drop', 'join'] as const).flatMap((lateRecords) =>
      Object.entries(joins).map(([name, join]) => {
        const store = joinStore('joined', {
          key: utf8,
          left: json<number>(),
          right: json<number>(),
          beforeMs: 12,
          afterMs: 20,
          graceMs,
          lateRecords,
        })
        const joined = (left$: Values, right$: Values): Values =>
          left$.pipe(join(right$, store, both))
        const family: Family = {
          topology: topology('stream-join', () => [
            joined(stream(left), stream(right)).pipe(to(out)),
          ]),
          inputs,
          outputs,
          emitsOnTime: true,
          // as in Kafka Streams, a record behind the stream time of its partition is told at once
          dependsOnPartition: lateRecords === 'join' && name !== 'joinWithin',
        }
        return [`${name}, late records ${lateRecords}`, family]
      }),
    ),
  )
}

const streamTableJoins = ({ graceMs }: Times): Readonly<Record<string, Family>> => {
  const rows = tableStore('rows', counts)
  const history = versionedStore('history', { ...counts, historyRetentionMs: graceMs + 20 })
  const waiting = waitingStore('waiting', { ...counts, graceMs })
  const of = (build: (left$: Values) => Values): Family => ({
    topology: topology('stream-table-join', () => [build(stream(left)).pipe(to(out))]),
    inputs,
    outputs,
  })
  return {
    joinTable: of((left$) => left$.pipe(joinTable(table(right, rows), both))),
    'leftJoinTable with history': of((left$) =>
      left$.pipe(leftJoinTable(table(right, history), both)),
    ),
    'leftJoinTable that waits': {
      ...of((left$) => left$.pipe(leftJoinTable(table(right, history), both, waiting))),
      emitsOnTime: true,
    },
  }
}

const tableFamilies = (): Readonly<Record<string, Family>> => {
  const [leftRows, rightRows] = [tableStore('left-rows', counts), tableStore('right-rows', counts)]
  const kept = tableStore('kept', counts)
  const groups = tableStore('groups', counts)
  const sizes = tableStore('sizes', counts)
  const byThird = repartitionTopic('by-third', { key: utf8, value: replacement(json<number>()) })
  const bySize = repartitionTopic('by-size', { key: utf8, value: replacement(json<number>()) })
  const ofTables = (
    build: (a: Table<string, number>, b: Table<string, number>) => Table<string, number>,
  ): Family => ({
    topology: topology('tables', () => {
      const result = build(table(left, leftRows), table(right, rightRows))
      return [toStream(result).pipe(to(out))]
    }),
    inputs,
    outputs,
  })
  return {
    joinTables: ofTables((a, b) => joinTables(a, b, both)),
    leftJoinTables: ofTables((a, b) => leftJoinTables(a, b, both)),
    'outerJoinTables, kept': ofTables((a, b) => outerJoinTables(a, b, both, kept)),
    'filterTable and mapTableValues': ofTables((a, b) =>
      joinTables(
        filterTable(a, (value) => value % 2 === 0),
        mapTableValues(b, (value) => value + 1, kept),
        both,
      ),
    ),
    'groupTable: sums and counts': {
      topology: topology('grouped', () => {
        const rows = table(left, leftRows)
        const thirdOf = (value: number, key: string): readonly [string, number] => [
          `${key}-${value % 3}`,
          value,
        ]
        return [
          groupTable(rows, byThird, thirdOf).pipe(
            aggregateGroups(groups, zero, {
              add,
              subtract: (sum, value) => sum - (value ?? 0),
            }),
            to(out),
          ),
          groupTable(rows, bySize, thirdOf).pipe(countGroups(sizes)),
        ]
      }),
      inputs: [left],
      outputs,
      hops: true,
    },
  }
}

const foreignKeyFamilies = (): Readonly<Record<string, Family>> => {
  const [leftRows, rightRows] = [tableStore('left-rows', counts), tableStore('right-rows', counts)]
  const kept = tableStore('kept', counts)
  const by = {
    by: foreignKeyStore('foreign', { left: leftRows, right: rightRows }),
    keyOf: (value: number) => (value % 7 === 0 ? undefined : ['a', 'b', 'é', 'd'][value % 4]),
    store: kept,
  }
  const of = (join: typeof leftJoinTablesByForeignKey): Family => ({
    topology: topology('foreign-key', () => {
      const joined = join(table(left, leftRows), table(right, rightRows), by, both)
      return [toStream(joined).pipe(to(out))]
    }),
    inputs,
    outputs,
    hops: true,
  })
  return {
    joinTablesByForeignKey: of(joinTablesByForeignKey),
    leftJoinTablesByForeignKey: of(leftJoinTablesByForeignKey),
  }
}
