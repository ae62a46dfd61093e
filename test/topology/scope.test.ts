/** Goal: operators belong to exactly one run of one definition, and broken graphs are refused. */

import { expect, test } from 'vitest'
import { merge as rxMerge, NEVER, of } from 'rxjs'
import {
  aggregate,
  effect,
  filter,
  json,
  keyValueStore,
  mapValues,
  merge,
  outboxStore,
  process,
  repartitionBy,
  repartitionTopic,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { PlanningScope } from '../../src/topology/planning-scope.ts'
import { TestTask } from './run-topology.ts'
import { codeOf, numbers, type Numbers, others, out, runnerOf } from './shared.ts'

const taskOf = (definition: ReturnType<typeof topology>): TestTask =>
  new TestTask(definition, definition.plan.subTopologies[0]!)

test('outside of a topology an operator says where to put it', () => {
  expect(() => mapValues((value: number) => value)).toThrow(
    'mapValues() was called outside of a topology. Operators exist only while topology(name, '
      + '() => …) runs; to share a fragment, export a function: const placed = () => mapValues(…)',
  )
  expect(codeOf(() => stream(numbers))).toBe('STREAMS_OUTSIDE_TOPOLOGY')
})

test('the scope ends with the definition, even if it throws', () => {
  expect(() =>
    topology('broken', () => {
      throw new Error('mine')
    }),
  ).toThrow('mine')
  expect(codeOf(() => stream(numbers))).toBe('STREAMS_OUTSIDE_TOPOLOGY')
})

test('a stream of another run is refused', () => {
  let leaked: Numbers | undefined
  const leaking = topology('leak', () => {
    const fresh$ = stream(numbers)
    return [(leaked ??= fresh$).pipe(to(out))]
  })
  expect(codeOf(() => taskOf(leaking))).toBe('STREAMS_UNTRACKED_STREAM')
})

test('a definition that differs between runs is refused at its first other node', () => {
  let runs = 0
  const moody = topology('moody', () => [
    runs++ === 0
      ? stream(numbers).pipe(
          filter(() => true),
          to(out),
        )
      : stream(numbers).pipe(
          mapValues((value) => value),
          to(out),
        ),
  ])
  expect(() => taskOf(moody)).toThrow(
    'node 2 is map-values, planned was filter-1; the definition must build the same',
  )
})

test('a definition that ends early is refused with the first missing node', () => {
  let runs = 0
  const moody = topology('moody', () => {
    const sink$ = stream(numbers).pipe(to(out))
    return runs++ === 0 ? [sink$, stream(others)] : [sink$]
  })
  expect(() => taskOf(moody)).toThrow('node others is missing')
})

test('a definition that goes on longer is refused', () => {
  let runs = 0
  const moody = topology('moody', () => {
    const sink$ = stream(numbers).pipe(to(out))
    return runs++ === 0 ? [sink$] : [sink$, stream(others)]
  })
  expect(() => taskOf(moody)).toThrow('node 3 is others, planned was none')
})

test('an edge that differs between runs is refused', () => {
  let runs = 0
  const moody = topology('moody', () => {
    const a$ = stream(numbers)
    const b$ = stream(others)
    return runs++ === 0 ? [merge(a$, b$).pipe(to(out))] : [merge(b$, a$).pipe(to(out))]
  })
  expect(codeOf(() => taskOf(moody))).toBe('STREAMS_NOT_DETERMINISTIC')
})

test.each<[string, (run: number) => ReturnType<typeof numberSink>]>([
  [
    'a topic handle made inside the definition',
    () => numberSink(topic('numbers', { key: utf8, value: json<number>() })),
  ],
  [
    'another store',
    (run) =>
      stream(numbers).pipe(
        process(
          'p',
          {
            store: keyValueStore(`store-${run}`, { key: utf8, value: json<number>() }),
          },
          { onRecord: () => [1] },
        ),
        to(out),
      ),
  ],
])('refused in the task: %s', (_, define) => {
  let runs = 0
  const moody = topology('moody', () => [define(runs++)])
  expect(codeOf(() => taskOf(moody))).toBe('STREAMS_NOT_DETERMINISTIC')
})

const numberSink = (from: typeof numbers) => stream(from).pipe(to(out))

const totals = keyValueStore('totals', { key: utf8, value: json<number>() })
const sum = () =>
  aggregate<string, number, number>(
    totals,
    () => 0,
    (a, b) => a + b,
  )
const through = repartitionTopic('through', { key: utf8, value: json<number>() })
const rekey = () => repartitionBy<string, number, string>(through, ({ key }) => key)
const outbox = outboxStore('outbox', { key: utf8, value: json<number>() })

test.each<[string, () => unknown, string]>([
  ['static merge of rxjs', () => runnerOf(($) => rxMerge($, $)), 'STREAMS_UNTRACKED_STREAM'],
  ['of()', () => topology('t', () => [of().pipe(to(out))]), 'STREAMS_UNTRACKED_STREAM'],
  [
    'subscribe by hand',
    () =>
      runnerOf(($) => {
        $.subscribe()
        return $
      }),
    'STREAMS_SUBSCRIBED',
  ],
  ['cut lineage', () => runnerOf(($) => $.pipe(() => NEVER)), 'STREAMS_TOPOLOGY_INVALID'],
  [
    'no stream returned by a pipe function',
    () => runnerOf(($) => $.pipe(() => 1 as never)),
    'STREAMS_TOPOLOGY_INVALID',
  ],
  [
    'forgotten sink',
    () =>
      topology('t', () => {
        const numbers$ = stream(numbers)
        numbers$.pipe(mapValues((value) => value))
        return [numbers$.pipe(to(out))]
      }),
    'STREAMS_TOPOLOGY_INVALID',
  ],
  ['no array', () => topology('t', () => stream(numbers) as never), 'STREAMS_TOPOLOGY_INVALID'],
  ['something else in the array', () => topology('t', () => [NEVER]), 'STREAMS_TOPOLOGY_INVALID'],
  [
    'one topic, two sources',
    () => topology('t', () => [stream(numbers).pipe(to(out)), stream(numbers)]),
    'STREAMS_TOPOLOGY_INVALID',
  ],
  [
    'one store, two aggregates',
    () => topology('t', () => [stream(numbers).pipe(sum()), stream(others).pipe(sum())]),
    'STREAMS_TOPOLOGY_INVALID',
  ],
  [
    'two stores of one name',
    () =>
      topology('t', () => [
        stream(numbers).pipe(sum()),
        stream(others).pipe(
          process(
            'p',
            { totals: keyValueStore('totals', numbers) },
            {
              onRecord: () => [],
            },
          ),
        ),
      ]),
    'STREAMS_TOPOLOGY_INVALID',
  ],
  [
    'two topics of one name',
    () =>
      topology('t', () => [
        stream(numbers).pipe(to(topic('numbers', { key: utf8, value: json<number>() }))),
      ]),
    'STREAMS_TOPOLOGY_INVALID',
  ],
  [
    'one repartition topic twice',
    () => topology('t', () => [stream(numbers).pipe(rekey()), stream(others).pipe(rekey())]),
    'STREAMS_TOPOLOGY_INVALID',
  ],
  [
    'a punctuator without interval',
    () =>
      topology('t', () => [
        stream(numbers).pipe(
          process(
            'p',
            {},
            {
              onRecord: () => [],
              punctuators: { never: { everyMs: 0, on: 'wallClock', run: () => [] } },
            },
          ),
        ),
      ]),
    'STREAMS_TOPOLOGY_INVALID',
  ],
  [
    'an effect without attempts',
    () =>
      topology('t', () => [
        stream(numbers).pipe(effect(outbox, async (value) => value, { attemptsMax: 0 })),
      ]),
    'STREAMS_TOPOLOGY_INVALID',
  ],
])('refused at build: %s', (_, build, code) => expect(codeOf(build)).toBe(code))

test('a store that no record can reach refuses every access and says why', () => {
  const split = topology('split', () => [stream(numbers).pipe(rekey(), sum(), to(out))])
  const [first, secondSub] = split.plan.subTopologies
  const total = secondSub!.nodes.find(({ name }) => name === 'totals')!
  const foreign = new TestTask(split, first!).scope.open(total, totals)
  const planned = new PlanningScope().open(total, totals)
  for (const store of [foreign, planned]) {
    expect(() => store.get('k')).toThrow('the store totals was used where no record can be')
    expect(codeOf(() => Object.assign(store, { get: () => 1 }))).toBe('STREAMS_TOPOLOGY_INVALID')
  }
  expect(new TestTask(split, secondSub!).scope.open(total, totals).get('k')).toBeUndefined()
})

test('punctuators and effects of other sub-topologies stay away from a task', () => {
  const split = topology('split', () => [
    stream(numbers).pipe(
      rekey(),
      process(
        'p',
        {},
        {
          onRecord: ({ value }) => [value],
          punctuators: { tick: { everyMs: 1, on: 'wallClock', run: () => [] } },
        },
      ),
      effect(outbox, async (value) => value),
    ),
  ])
  const scopes = split.plan.subTopologies.map((sub) => new TestTask(split, sub).scope)
  expect(scopes.map(({ punctuators }) => punctuators.map(({ name }) => name))).toEqual([
    [],
    ['p.tick'],
  ])
  expect(scopes.map(({ effects }) => [...effects.keys()])).toEqual([[], ['outbox']])
})

test('handles are shared between runs, so a task binds each store once', () => {
  const twice = topology('twice', () => [stream(numbers).pipe(sum(), to(out))])
  const task = taskOf(twice)
  const before = task.open(totals)
  task.rebuild()
  expect(task.open(totals)).toBe(before)
})
