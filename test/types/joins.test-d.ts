/**
 * Goal: what the compiler infers of joins and tables, and what it refuses. Checked by `tsc` only,
 * never run; an unused `@ts-expect-error` is an error itself.
 */

import {
  filterTable,
  foreignKeyStore,
  globalTable,
  joinGlobal,
  joinStore,
  joinTable,
  joinTables,
  joinTablesByForeignKey,
  joinWithin,
  json,
  leftJoinGlobal,
  leftJoinTable,
  leftJoinTables,
  leftJoinTablesByForeignKey,
  mapTableValues,
  nullable,
  type Observable,
  outerJoinTables,
  outerJoinWithin,
  stream,
  type StreamRecord,
  table,
  type Table,
  tableStore,
  topic,
  toStream,
  utf8,
  versionedStore,
  waitingStore,
} from '../../src/index.ts'

interface ById {
  readonly id: number
}

const numbers = topic('numbers', { key: utf8, value: json<number>() })
const strings = topic('strings', { key: utf8, value: utf8 })
const byId = topic('by-id', { key: json<ById>(), value: json<boolean>() })
const numbers$ = stream(numbers)
const strings$ = stream(strings)
const maybe$ = stream(topic('maybe', { key: utf8, value: nullable(json<number>()) }))
const numberRows = tableStore('number-rows', numbers)
const stringRows = tableStore('string-rows', strings)
const idRows = tableStore('id-rows', byId)
const numberTable = table(numbers, numberRows)
const stringTable = table(strings, stringRows)
const idTable = table(byId, idRows)
const sides = joinStore('sides', {
  key: utf8,
  left: numbers.value,
  right: utf8,
  withinMs: 1,
  graceMs: 1,
})
const by = foreignKeyStore('by', { left: numberRows, right: idRows })

type Probe<A> = <T>() => T extends A ? 1 : 2
type Same<A, B> = Probe<A> extends Probe<B> ? true : false
const sameType = <A, B>(same: Same<A, B>): void => void same
type Of<V> = Observable<StreamRecord<string, V>>
type Pair<A, B> = { a: A; b: B }
const pair = <A, B>(a: A, b: B): Pair<A, B> => ({ a, b })

// Streams within a window: which side may be missing.
const inner$ = numbers$.pipe(joinWithin(strings$, sides, (a, b) => ({ a, b })))
sameType<typeof inner$, Of<Pair<number, string>>>(true)
const outer$ = numbers$.pipe(outerJoinWithin(strings$, sides, (a, b) => ({ a, b })))
sameType<typeof outer$, Of<Pair<number | undefined, string | undefined>>>(true)
// A record without a value is never joined.
const present$ = maybe$.pipe(joinWithin(strings$, sides, (a, b) => ({ a, b })))
sameType<typeof present$, Of<Pair<number, string>>>(true)
// @ts-expect-error the store holds numbers on the left
strings$.pipe(joinWithin(strings$, sides, (a, b) => ({ a, b })))
// @ts-expect-error right is keyed by { id }
numbers$.pipe(joinWithin(stream(byId), sides, (a) => a))
// @ts-expect-error either side may be missing
numbers$.pipe(outerJoinWithin(strings$, sides, (a: number, b) => ({ a, b })))

// A stream and a table.
const looked$ = numbers$.pipe(joinTable(stringTable, (a, b) => ({ a, b })))
sameType<typeof looked$, Of<Pair<number, string>>>(true)
const left$ = maybe$.pipe(leftJoinTable(stringTable, (a, b) => ({ a, b })))
sameType<typeof left$, Of<Pair<number, string | undefined>>>(true)
const waiting = waitingStore('waiting', { ...numbers, graceMs: 1 })
numbers$.pipe(leftJoinTable(stringTable, (a, b) => ({ a, b }), waiting))
// @ts-expect-error strings do not wait among numbers
strings$.pipe(joinTable(stringTable, (a: string, b) => ({ a, b }), waiting))
// @ts-expect-error table is keyed by { id }
numbers$.pipe(leftJoinTable(idTable, (a: number) => a))

// Two tables.
const both = joinTables(numberTable, stringTable, pair)
sameType<typeof both, Table<string, Pair<number, string>>>(true)
const leftBoth = leftJoinTables(numberTable, stringTable, (a, b) => ({ a, b }))
sameType<typeof leftBoth, Table<string, Pair<number, string | undefined>>>(true)
const outerBoth = outerJoinTables(numberTable, stringTable, (a, b) => ({ a, b }))
sameType<typeof outerBoth, Table<string, Pair<number | undefined, string | undefined>>>(true)
// @ts-expect-error keyed differently
joinTables(numberTable, idTable, pair)
// @ts-expect-error the result is a string, the store holds numbers
joinTables(numberTable, stringTable, (_a, b) => b, numberRows)
const mapped = mapTableValues(numberTable, (value) => (value > 1 ? value.toFixed() : undefined))
sameType<typeof mapped, Table<string, string>>(true)
const changes$ = toStream(filterTable(numberTable, (value, key) => value > key.length))
sameType<typeof changes$, Of<number | undefined>>(true)

// By a foreign key.
const keyOf = (n: number): ById | undefined => (n > 0 ? { id: n } : undefined)
const named = joinTablesByForeignKey(numberTable, idTable, { by, keyOf }, (a, b) => ({ a, b }))
sameType<typeof named, Table<string, Pair<number, boolean>>>(true)
const maybeNamed = leftJoinTablesByForeignKey(numberTable, idTable, { by, keyOf }, (a, b) => ({
  a,
  b,
}))
sameType<typeof maybeNamed, Table<string, Pair<number, boolean | undefined>>>(true)
// @ts-expect-error the foreign key is the key of the right table
joinTablesByForeignKey(numberTable, stringTable, { by, keyOf }, pair)
// @ts-expect-error a number is no foreign key
joinTablesByForeignKey(numberTable, idTable, { by, keyOf: (n: number) => n }, pair)

// A global table.
const global = globalTable(byId)
const joined$ = numbers$.pipe(joinGlobal(global, keyOf, (a, b) => ({ a, b })))
sameType<typeof joined$, Of<Pair<number, boolean>>>(true)
const leftGlobal$ = maybe$.pipe(leftJoinGlobal(global, keyOf, (a, b) => ({ a, b })))
sameType<typeof leftGlobal$, Of<Pair<number, boolean | undefined>>>(true)
// @ts-expect-error the table is keyed by { id }
numbers$.pipe(joinGlobal(global, (_value: number, key: string) => key, pair))

// Stores.
// @ts-expect-error a table is kept with its own types
table(numbers, stringRows)
table(numbers, versionedStore('v', { ...numbers, historyRetentionMs: 1 }))
