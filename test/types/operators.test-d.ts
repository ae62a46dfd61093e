/**
 * Goal: what the compiler infers and what it refuses. Checked by `tsc` only, never run; an unused
 * `@ts-expect-error` is an error itself. The order-payment example is the positive case.
 */

import { map } from 'rxjs'
import {
  aggregate,
  effect,
  type EffectResult,
  filter,
  int64,
  joinStore,
  joinTable,
  json,
  keyValueStore,
  leftJoinWithin,
  mapValues,
  merge,
  nullable,
  type Observable,
  ofKind,
  outboxStore,
  peek,
  process,
  repartitionBy,
  repartitionTopic,
  stream,
  type StreamRecord,
  table,
  tableStore,
  to,
  topic,
  ttlStore,
  utf8,
  windowStore,
} from '../../src/index.ts'
import type { Settlement } from '../operators/order-payment.ts'

interface ById {
  readonly id: number
}

const settlements = topic('s', { key: utf8, value: json<Settlement>() })
const settlements$ = stream(settlements)
const numbers$ = stream(topic('n', { key: utf8, value: json<number>() }))
const strings = topic('strings', { key: utf8, value: json<string>() })
const byId = topic('by-id', { key: json<ById>(), value: json<string>() })
const numbersById = topic('numbers-by-id', { key: json<ById>(), value: json<number>() })
const awaiting = joinStore('awaiting', {
  key: utf8,
  left: json<number>(),
  right: json<string>(),
  withinMs: 1,
  graceMs: 1,
})
const totals = keyValueStore('totals', { key: utf8, value: int64 })
const perMinute = windowStore('per-minute', { key: utf8, value: json<number>(), retentionMs: 1 })
const recent = ttlStore('recent', { key: utf8, value: json<number>(), ttlMs: 1 })
const outbox = outboxStore('outbox', { key: utf8, value: json<number>() })

type Probe<A> = <T>() => T extends A ? 1 : 2
type Same<A, B> = Probe<A> extends Probe<B> ? true : false
const sameType = <A, B>(same: Same<A, B>): void => void same

// Inferred, without one annotation.
const short$ = settlements$.pipe(
  ofKind('short'),
  mapValues(({ missingCents }) => missingCents),
)
sameType<typeof short$, Observable<StreamRecord<string, number>>>(true)
const merged$ = merge(numbers$, stream(strings))
sameType<typeof merged$, Observable<StreamRecord<string, number | string>>>(true)
const yielded$ = numbers$.pipe(
  process(
    'p',
    {},
    {
      *onRecord({ value }) {
        yield `${value}`
      },
    },
  ),
)
sameType<typeof yielded$, Observable<StreamRecord<string, string>>>(true)
const through = repartitionTopic('r', { key: json<ById>(), value: json<number>() })
const rekeyed$ = numbers$.pipe(repartitionBy(through, ({ value }) => ({ id: value })))
sameType<typeof rekeyed$, Observable<StreamRecord<ById, number>>>(true)
const plain$ = numbers$.pipe(
  filter(({ value }) => value > 1),
  map((r) => r.withValue('x')),
)
sameType<typeof plain$, Observable<StreamRecord<string, string>>>(true)
const peeked$ = numbers$.pipe(peek(({ value }) => value.toFixed()))
sameType<typeof peeked$, Observable<StreamRecord<string, number>>>(true)
const summed$ = numbers$.pipe(
  aggregate(
    totals,
    () => 0n,
    (sum, value) => sum + BigInt(value),
  ),
)
sameType<typeof summed$, Observable<StreamRecord<string, bigint>>>(true)
const joined$ = numbers$.pipe(
  leftJoinWithin(stream(strings), awaiting, (left, right) => ({ left, right })),
)
sameType<
  typeof joined$,
  Observable<
    StreamRecord<
      string,
      {
        left: number
        right: string | undefined
      }
    >
  >
>(true)
const deletions$ = stream(topic('d', { key: utf8, value: nullable(json<number>()) }))
sameType<typeof deletions$, Observable<StreamRecord<string, number | undefined>>>(true)
const paid$ = numbers$.pipe(effect(outbox, async (cents, { key }) => `${key}${cents.toFixed()}`))
sameType<typeof paid$, Observable<StreamRecord<string, EffectResult<number, string>>>>(true)
const answers$ = paid$.pipe(
  ofKind('done'),
  mapValues(({ value }) => value),
)
sameType<typeof answers$, Observable<StreamRecord<string, string>>>(true)

// A store with a time to live takes the time with each value.
numbers$.pipe(
  process(
    'recent',
    { recent },
    {
      onRecord({ key, value, timestampMs }, { recent }) {
        sameType<ReturnType<typeof recent.get>, number | undefined>(true)
        // @ts-expect-error without a timestamp there is nothing to live from
        recent.put(key, value)
        // @ts-expect-error not the type of its values
        recent.put(key, 'text', timestampMs)
        return [recent.put(key, value, timestampMs)]
      },
      prefetchKeys: ({ key }) => ({ recent: [key] }),
    },
  ),
)
// @ts-expect-error it must say how long
ttlStore('endless', { key: utf8, value: json<number>() })

// Stores of a processor come opened, under their names.
numbers$.pipe(
  process(
    'stores',
    { totals, perMinute },
    {
      onRecord({ key, value, timestampMs }, { totals, perMinute }, context) {
        sameType<ReturnType<typeof totals.get>, bigint | undefined>(true)
        perMinute.expire(context.streamTimeMs())
        return [perMinute.put(key, timestampMs, value)]
      },
    },
  ),
)
type TotalsFace = ReturnType<typeof totals.open>
// @ts-expect-error the store holds bigint
const putNumber = (rows: TotalsFace): void => rows.put('k', 1)
void putNumber

// Wrong topic type: value, then key.
// @ts-expect-error number is not string
numbers$.pipe(to(strings))
// @ts-expect-error keyed by string, topic keyed by { id }
stream(strings).pipe(to(byId))

// Another key at the end of a branch.
numbers$.pipe(to(numbersById, ({ value }) => ({ id: value })))
settlements$.pipe(
  ofKind('short'),
  to(settlements, ({ value }) => `${value.missingCents}`),
)
// @ts-expect-error the topic is keyed by { id }
numbers$.pipe(to(numbersById, ({ key }) => key))
// @ts-expect-error another key does not excuse another value
numbers$.pipe(to(byId, ({ value }) => ({ id: value })))

// Wrong kind.
// @ts-expect-error 'refunded' is no kind of Settlement
settlements$.pipe(ofKind('refunded'))
// @ts-expect-error numbers have no kind
numbers$.pipe(ofKind('short'))

// Join of differently keyed streams, and the joiner's right side may be missing.
// @ts-expect-error right is keyed by { id }
numbers$.pipe(leftJoinWithin(stream(byId), awaiting, (left) => left))
const idNames = table(byId, tableStore('names', { key: json<ById>(), value: json<string>() }))
// @ts-expect-error table is keyed by { id }
numbers$.pipe(joinTable(idNames, (left: number) => left))
// @ts-expect-error right may be undefined
numbers$.pipe(leftJoinWithin(stream(strings), awaiting, (_left, right) => right.length))
// @ts-expect-error merge of differently keyed streams
merge(numbers$, stream(byId))

// The request of an effect is what its outbox holds.
// @ts-expect-error the outbox holds numbers
stream(strings).pipe(effect(outbox, async (request) => request))

// A key-changing map: StreamRecord is nominal, its constructor is hidden, there is no withKey.
type NumberRecord = StreamRecord<string, number>
const respread = map((record: NumberRecord) => ({ ...record, key: 'x' }))
// @ts-expect-error a spread is not a StreamRecord
numbers$.pipe(respread, to(strings))
const rename = (record: NumberRecord): void => {
  // @ts-expect-error readonly
  record.key = 'x'
}
void rename
const ofStrings = repartitionTopic('q', { key: utf8, value: json<string>() })
// @ts-expect-error the value serde of the internal topic differs
numbers$.pipe(repartitionBy(ofStrings, () => 'x'))
