/**
 * Goal: joins of tables always end where a join of the final inputs would, whatever the way there.
 * Method: random updates and deletions of both sides with random, repeating timestamps, on several
 * partitions of the driver, with restarts and rebuilt pipelines; the changes of the result, applied
 * one after the other, against a join of the last values. Then what each operator refuses.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  filterTable,
  foreignKeyStore,
  joinTable,
  joinTables,
  joinTablesByForeignKey,
  json,
  leftJoinTable,
  leftJoinTables,
  leftJoinTablesByForeignKey,
  mapTableValues,
  nullable,
  outerJoinTables,
  stream,
  table,
  type Table,
  tableStore,
  to,
  topic,
  topology,
  toStream,
  utf8,
  versionedStore,
  waitingStore,
} from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

interface Left {
  readonly n: number
  readonly names?: string
}

const lefts = topic('lefts', { key: utf8, value: json<Left>() })
const rights = topic('rights', { key: utf8, value: json<number>() })
const out = topic('out', { key: utf8, value: nullable(utf8) })
const leftRows = tableStore('left-rows', lefts)
const rightRows = tableStore('right-rows', rights)
const keptRows = tableStore('kept', { key: utf8, value: utf8 })
const text = (left?: Left, right?: number): string => `${left?.n ?? '-'}+${right ?? '-'}`

interface Update {
  readonly side: 'left' | 'right'
  readonly key: string
  readonly names: string | undefined
  readonly isDeletion: boolean
  readonly timestampMs: number
  readonly restarts: boolean
}

const update: fc.Arbitrary<Update> = fc.record({
  side: fc.constantFrom('left', 'right'),
  key: fc.constantFrom('a', 'b', 'c', 'é'),
  names: fc.constantFrom('a', 'b', 'c', 'é', undefined),
  isDeletion: fc.boolean(),
  timestampMs: fc.integer({ min: 0, max: 5 }),
  restarts: fc.nat(6).map((n) => n === 0),
})

/** Last values of both sides, and of the table that the changes in `out` make. */
const run = (
  updates: readonly Update[],
  define: (left: Table<string, Left>, right: Table<string, number>) => Table<string, string>,
  rebuildBeforeEachRecord: boolean,
) => {
  const joining = topology('joining', () => [
    toStream(define(table(lefts, leftRows), table(rights, rightRows))).pipe(to(out)),
  ])
  const driver = new TopologyDriver(joining, { partitions: 3, rebuildBeforeEachRecord })
  const [left, right] = [new Map<string, Left>(), new Map<string, number>()]
  for (const [n, { side, key, names, isDeletion, timestampMs, restarts }] of updates.entries()) {
    if (side === 'left') {
      const value = { n, ...(names !== undefined && { names }) }
      driver.pipe(lefts, key, isDeletion ? (undefined as never) : value, { timestampMs })
      if (isDeletion) left.delete(key)
      else left.set(key, value)
    } else {
      driver.pipe(rights, key, isDeletion ? (undefined as never) : n, { timestampMs })
      if (isDeletion) right.delete(key)
      else right.set(key, n)
    }
    if (restarts) driver.restart()
  }
  const got = new Map<string, string>()
  for (const { key, value } of driver.read(out)) {
    if (value === undefined) got.delete(key)
    else got.set(key, value)
  }
  return { left, right, got, driver }
}

const expectSame = (
  isKept: boolean,
  { got, driver }: Pick<ReturnType<typeof run>, 'got' | 'driver'>,
  expected: ReadonlyMap<string, string>,
): void => {
  expect(Object.fromEntries(got)).toEqual(Object.fromEntries(expected))
  if (!isKept) return
  const kept = driver.query(keptRows).byPartition()
  const rows = kept.flatMap(({ reader }) =>
    [...reader.range()].map(([key, row]) => [key, row.value]),
  )
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(expected))
}

const sameKey = { inner: joinTables, left: leftJoinTables, outer: outerJoinTables }
const byForeignKey = { inner: joinTablesByForeignKey, left: leftJoinTablesByForeignKey }
const by = foreignKeyStore('by', { left: leftRows, right: rightRows })

describe.each([false, true])('kept: %s', (isKept) => {
  const store = isKept ? keptRows : undefined

  test.each(['inner', 'left', 'outer'] as const)('%s join by the same key', (kind) => {
    fc.assert(
      fc.property(fc.array(update, { maxLength: 30 }), fc.boolean(), (updates, rebuilds) => {
        const join = sameKey[kind]
        const ran = run(
          updates,
          (l, r) => join<string, Left, number, string>(l, r, text, store),
          rebuilds,
        )
        const { left, right } = ran
        const expected = new Map<string, string>()
        for (const key of new Set([...left.keys(), ...right.keys()])) {
          const hasLeft = left.has(key) || kind === 'outer'
          const hasRight = right.has(key) || kind !== 'inner'
          if (hasLeft && hasRight) expected.set(key, text(left.get(key), right.get(key)))
        }
        expectSame(isKept, ran, expected)
      }),
      { numRuns: 60 },
    )
  })

  test.each(['inner', 'left'] as const)('%s join by a foreign key', (kind) => {
    fc.assert(
      fc.property(fc.array(update, { maxLength: 30 }), fc.boolean(), (updates, rebuilds) => {
        const on = { by, keyOf: ({ names }: Left) => names, ...(store && { store }) }
        const join = byForeignKey[kind]
        const ran = run(updates, (l, r) => join(l, r, on, text), rebuilds)
        const { left, right } = ran
        const expected = new Map<string, string>()
        for (const [key, value] of left) {
          const row = value.names === undefined ? undefined : right.get(value.names)
          if (row !== undefined || kind === 'left') expected.set(key, text(value, row))
        }
        expectSame(isKept, ran, expected)
      }),
      { numRuns: 60 },
    )
  })

  test('a filter of a mapping', () => {
    fc.assert(
      fc.property(fc.array(update, { maxLength: 30 }), fc.boolean(), (updates, rebuilds) => {
        const define = (left: Table<string, Left>): Table<string, string> =>
          filterTable(
            mapTableValues(left, ({ n }) => (n % 5 === 0 ? undefined : `${n}`)),
            (value) => Number(value) % 2 === 1,
            store,
          )
        const ran = run(updates, define, rebuilds)
        const expected = new Map<string, string>()
        for (const [key, { n }] of ran.left) if (n % 2 === 1 && n % 5 > 0) expected.set(key, `${n}`)
        expectSame(isKept, ran, expected)
      }),
      { numRuns: 40 },
    )
  })
})

test('a foreign-key join has two sub-topologies and two internal topics of its own', () => {
  const { plan } = topology('fk', () => [
    toStream(
      joinTablesByForeignKey(
        table(lefts, leftRows),
        table(rights, rightRows),
        { by, keyOf: ({ names }) => names },
        text,
      ),
    ).pipe(to(out)),
  ])
  expect(plan.internalTopics).toEqual(['by-subscription', 'by-response'])
  expect(plan.subTopologies.map((sub) => sub.copartitionGroups)).toEqual([
    [['lefts', 'by-response']],
    [['rights', 'by-subscription']],
  ])
})

describe('a stream and a table', () => {
  const joinedWith = (isLeft: boolean, graceMs: number | undefined) => {
    const history = versionedStore('history', { ...rights, historyRetentionMs: 1_000 })
    const waiting = graceMs === undefined ? undefined : waitingStore('wait', { ...lefts, graceMs })
    return new TopologyDriver(
      topology('st', () => {
        const numbers = filterTable(table(rights, history), (n) => n >= 0)
        const left$ = stream(lefts)
        const joined$ = isLeft
          ? left$.pipe(leftJoinTable(numbers, text, waiting))
          : left$.pipe(joinTable(numbers, text, waiting))
        return [joined$.pipe(to(out))]
      }),
    )
  }

  test('a versioned table is read as of the record, through a filter too', () => {
    const driver = joinedWith(true, undefined)
    for (const [n, timestampMs] of [
      [1, 100],
      [-2, 200],
      [3, 300],
    ] as const) {
      driver.pipe(rights, 'k', n, { timestampMs })
    }
    for (const timestampMs of [99, 150, 250, 300]) {
      driver.pipe(lefts, 'k', { n: timestampMs }, { timestampMs })
    }
    expect(driver.values(out)).toEqual(['99+-', '150+1', '250+-', '300+3'])
  })

  test('a record that waits is joined with an update that comes late, after a restart too', () => {
    const driver = joinedWith(false, 50)
    const headers = [
      { key: 'h', value: Buffer.from('v') },
      { key: 'null', value: null },
    ]
    driver.pipe(lefts, 'k', { n: 1 }, { timestampMs: 100, headers })
    driver.pipe(rights, 'k', 9, { timestampMs: 90 })
    driver.restart()
    driver.pipe(lefts, 'other', { n: 2 }, { timestampMs: 150 })
    expect(driver.read(out)).toMatchObject([{ value: '1+9', timestampMs: 100, headers }])
  })

  test('a left record without a key is joined with nothing at once, where others wait', () => {
    const driver = joinedWith(true, 50)
    driver.pipe(lefts, undefined as never, { n: 1 }, { timestampMs: 100 })
    expect(driver.read(out)).toMatchObject([{ key: undefined, value: '1+-', timestampMs: 100 }])
    const inner = joinedWith(false, 50)
    inner.pipe(lefts, undefined as never, { n: 1 }, { timestampMs: 100 })
    expect([inner.values(out), inner.counters.droppedNullKey]).toEqual([[], 1])
  })
})

describe('what cannot be is refused when the topology is built', () => {
  test.each([
    [
      'a join with a table that is not kept',
      () => stream(lefts).pipe(joinTable(table(rights), text)),
    ],
    [
      'waiting for late updates of a table without history',
      () => {
        const waiting = waitingStore('wait', { ...lefts, graceMs: 1 })
        return stream(lefts).pipe(joinTable(table(rights, rightRows), text, waiting))
      },
    ],
    [
      'a join of tables one of which is not kept',
      () => toStream(joinTables(table(lefts), table(rights, rightRows), text)),
    ],
    [
      'a foreign-key join of a left table that is not kept',
      () =>
        toStream(
          joinTablesByForeignKey(
            table(lefts),
            table(rights, rightRows),
            { by, keyOf: ({ names }) => names },
            text,
          ),
        ),
    ],
    [
      'a look-up in the result of a foreign-key join that is not kept',
      () => {
        const on = { by, keyOf: ({ names }: Left) => names }
        const joined = joinTablesByForeignKey(
          table(lefts, leftRows),
          table(rights, rightRows),
          on,
          text,
        )
        return stream(out).pipe(joinTable(joined, (left) => left))
      },
    ],
  ])('%s', (_, define) => {
    expect(() => topology('refused', () => [define().pipe(to(out as never))])).toThrow(
      expect.objectContaining({ code: 'STREAMS_TOPOLOGY_INVALID' }),
    )
  })

  test.each([-1, Infinity, Number.NaN])('a grace of %s', (graceMs) => {
    expect(() => waitingStore('w', { ...lefts, graceMs })).toThrow(RangeError)
  })
})
