/**
 * Goal: what the compiler infers and refuses of aggregates, windows and stateless steps. Checked by
 * `tsc` only, never run; an unused `@ts-expect-error` is an error itself.
 */

import {
  aggregate,
  aggregateGroups,
  branch,
  type Branches,
  cogroup,
  count,
  countGroups,
  distinctBy,
  distinctStore,
  flatMap,
  flatMapValues,
  folding,
  groupTable,
  json,
  keyValueStore,
  mapRecord,
  type Observable,
  reduce,
  repartitionTopic,
  replacement,
  type Replacement,
  session,
  sliding,
  stream,
  type StreamRecord,
  suppress,
  suppressStore,
  table,
  tableStore,
  to,
  toDynamic,
  toTable,
  type Table,
  topic,
  toStream,
  tumbling,
  untilTimeLimit,
  untilWindowCloses,
  utf8,
  windowed,
  type Windowed,
  windowedStore,
} from '../../src/index.ts'

type Probe<A> = <T>() => T extends A ? 1 : 2
type Same<A, B> = Probe<A> extends Probe<B> ? true : false
const sameType = <A, B>(same: Same<A, B>): void => void same
type Stream<K, V> = Observable<StreamRecord<K, V>>

const numbers$ = stream(topic('n', { key: utf8, value: json<number>() }))
const strings$ = stream(topic('s', { key: utf8, value: json<string>() }))
const serdes = { key: utf8, value: json<number>() }
const sums = keyValueStore('sums', serdes)
const rows = tableStore('rows', serdes)
const texts = tableStore('texts', { key: utf8, value: json<string>() })
const minutes = windowedStore('m', { ...serdes, windows: tumbling({ sizeMs: 1, graceMs: 0 }) })
const slides = windowedStore('l', { ...serdes, windows: sliding({ withinMs: 1, graceMs: 0 }) })
const visits = windowedStore('v', { ...serdes, windows: session({ gapMs: 1, graceMs: 0 }) })

// By key the key stays; windows make it a windowed one.
const byKey$ = strings$.pipe(
  aggregate(
    rows,
    () => 0,
    (sum, value) => sum + value.length,
  ),
)
sameType<typeof byKey$, Stream<string, number>>(true)
const perMinute$ = strings$.pipe(
  aggregate(
    minutes,
    () => 0,
    (sum, value) => sum + value.length,
    { emit: 'onClose' },
  ),
)
sameType<typeof perMinute$, Stream<Windowed<string>, number>>(true)
const perVisit$ = strings$.pipe(
  aggregate(
    visits,
    () => 0,
    (sum, value) => sum + value.length,
    { merge: (a, b) => a + b },
  ),
)
sameType<typeof perVisit$, Stream<Windowed<string>, number | undefined>>(true)

// A fold that may delete makes the result nullable.
const deleting$ = numbers$.pipe(
  aggregate(
    rows,
    () => 0,
    (sum, value) => (value < 0 ? undefined : sum + value),
  ),
)
sameType<typeof deleting$, Stream<string, number | undefined>>(true)

const counted$ = strings$.pipe(count(sums))
sameType<typeof counted$, Stream<string, number>>(true)
const countedSlides$ = strings$.pipe(count(slides))
sameType<typeof countedSlides$, Stream<Windowed<string>, number>>(true)
const countedVisits$ = strings$.pipe(count(visits))
sameType<typeof countedVisits$, Stream<Windowed<string>, number | undefined>>(true)
const longest$ = strings$.pipe(reduce(texts, (a, b) => (b.length > a.length ? b : a)))
sameType<typeof longest$, Stream<string, string>>(true)

const baskets$ = cogroup(
  rows,
  () => 0,
  {},
  folding(numbers$, (sum, value) => sum + value.toFixed().length),
  folding(strings$, (sum, value) => sum + value.length),
)
sameType<typeof baskets$, Stream<string, number | undefined>>(true)

const zero = (): number => 0
const plusOne = (sum: number): number => sum + 1
const same = (text: string): string => text
// @ts-expect-error sessions need merge
strings$.pipe(aggregate(visits, zero, plusOne))
// @ts-expect-error the store holds numbers
strings$.pipe(aggregate(rows, () => '', same))
// @ts-expect-error a reduce holds what flows
strings$.pipe(reduce(rows, plusOne))
// @ts-expect-error counts are numbers
strings$.pipe(count(texts))
// @ts-expect-error by key there is nothing to close
strings$.pipe(count(rows, { emit: 'onClose' }))
// @ts-expect-error no such moment
strings$.pipe(count(minutes, { emit: 'never' }))

// Suppression of windows takes windowed keys, and nothing else.
const held = suppressStore('held', { key: windowed(utf8), value: json<number>() })
const heldByKey = suppressStore('held', serdes)
const final$ = countedVisits$.pipe(suppress(held, untilWindowCloses(visits.windows)))
sameType<typeof final$, Stream<Windowed<string>, number>>(true)
const limited$ = numbers$.pipe(suppress(heldByKey, untilTimeLimit(1)))
sameType<typeof limited$, Stream<string, number | undefined>>(true)
// @ts-expect-error keyed by text, not by windows
numbers$.pipe(suppress(heldByKey, untilWindowCloses(visits.windows)))

// Groups of tables.
interface Account {
  readonly region: string
  readonly cents: number
}
const accounts = table(
  topic('a', { key: utf8, value: json<Account>() }),
  tableStore('accounts', { key: utf8, value: json<Account>() }),
)
const byRegion = repartitionTopic('r', { key: utf8, value: replacement(json<number>()) })
const grouped$ = groupTable(accounts, byRegion, ({ region, cents }) => [region, cents])
sameType<typeof grouped$, Stream<string, Replacement<number>>>(true)
const totals$ = grouped$.pipe(
  aggregateGroups(rows, () => 0, {
    add: (sum, cents) => sum + cents,
    subtract: (sum, cents) => sum - cents,
  }),
)
sameType<typeof totals$, Stream<string, number | undefined>>(true)
const sizes$ = grouped$.pipe(countGroups(rows))
sameType<typeof sizes$, Stream<string, number | undefined>>(true)
// @ts-expect-error the internal topic carries numbers
groupTable(accounts, byRegion, ({ region }) => [region, region])
// @ts-expect-error not a grouped table
numbers$.pipe(countGroups(rows))

const latest = toTable(numbers$, rows)
sameType<typeof latest, Table<string, number>>(true)
const updates$ = toStream(latest)
sameType<typeof updates$, Stream<string, number | undefined>>(true)

// Stateless steps.
const { even, rest } = branch(numbers$, {
  even: ({ value }) => value % 2 === 0,
  rest: () => true,
})
sameType<typeof even, Stream<string, number>>(true)
sameType<typeof rest, Stream<string, number>>(true)
type Names = keyof Branches<string, number, { a: () => boolean }>
sameType<Names, 'a'>(true)
// @ts-expect-error there is no such branch
void branch(numbers$, { even: () => true }).odd
const pairs$ = numbers$.pipe(flatMap(({ key, value }): [number, string][] => [[value, key]]))
sameType<typeof pairs$, Stream<number, string>>(true)
const words$ = strings$.pipe(flatMapValues((line) => line.split(' ')))
sameType<typeof words$, Stream<string, string>>(true)
const swapped$ = numbers$.pipe(mapRecord(({ key, value }) => [value, key]))
sameType<typeof swapped$, Stream<number, string>>(true)
const distinct$ = strings$.pipe(
  distinctBy(distinctStore('d', { id: utf8, withinMs: 1, graceMs: 0 }), ({ value }) => value),
)
sameType<typeof distinct$, Stream<string, string>>(true)
// @ts-expect-error the store holds text ids
numbers$.pipe(distinctBy(distinctStore('d', { id: utf8, withinMs: 1, graceMs: 0 }), () => 1))
const small = topic('small', serdes)
numbers$.pipe(toDynamic([small], () => small))
// @ts-expect-error the topic is of numbers
strings$.pipe(toDynamic([small], () => small))
// @ts-expect-error a windowed key is not text
countedSlides$.pipe(to(small))
