/**
 * Goal: what a plain RxJS operator between two nodes may do, and how each trap is noticed.
 * Method: numbers → operator → out. The traps that show late are in plain-steps-late.test.ts.
 */

import { expect, test } from 'vitest'
import {
  bufferCount,
  catchError,
  filter,
  map,
  mergeMap,
  mergeWith,
  NEVER,
  of,
  type OperatorFunction,
  pipe,
  retry,
  share,
  startWith,
  Subject,
  switchMap,
  take,
  takeWhile,
  tap,
  throwError,
} from 'rxjs'
import { merge, stream, to, topology } from '../../src/index.ts'
import { StreamRecord } from '../../src/record.ts'
import { TopologyRunner } from './run-topology.ts'
import {
  codeOf,
  type Item,
  numbers,
  type Numbers,
  others,
  out,
  runnerOf,
  second,
} from './shared.ts'

type Step = ($: Numbers) => Numbers
const plus = (by: number) => map((record: Item) => record.withValue(record.value + by))
const plain =
  (operator: OperatorFunction<Item, Item>): Step =>
  ($) =>
    $.pipe(operator)

test.each<[string, Step, number[]]>([
  ['map', ($) => $.pipe(plus(10)), [11, 12, 13]],
  ['filter', ($) => $.pipe(filter(({ value }) => value !== 2)), [1, 3]],
  ['two in one pipe', ($) => $.pipe(plus(1), plus(10)), [12, 13, 14]],
  ['tap', ($) => $.pipe(tap(() => {})), [1, 2, 3]],
  ['mergeMap, synchronous', ($) => $.pipe(mergeMap((r) => of(r, r))), [1, 1, 2, 2, 3, 3]],
  ['share', ($) => $.pipe(share()), [1, 2, 3]],
  ['an empty pipe', ($) => $.pipe(), [1, 2, 3]],
])('allowed: %s', (_, step, expected) => {
  const runner = runnerOf(step)
  for (const value of [1, 2, 3]) expect(runner.pipe(numbers, 'k', value)).toBeUndefined()
  expect(runner.values(out)).toEqual(expected)
})

test('a plain step before two sinks runs once per record, branching inside pipe included', () => {
  let calls = 0
  const runner = new TopologyRunner(
    topology('branch', () => {
      const counted$ = stream(numbers).pipe(
        map((record) => record.withValue(++calls)),
        share(),
      )
      return [
        counted$.pipe(
          filter(() => true),
          to(out),
        ),
        counted$.pipe(plus(0), to(second)),
      ]
    }),
  )
  runner.pipe(numbers, 'k', 0)
  expect([calls, runner.values(out), runner.values(second)]).toEqual([1, [1], [1]])
})

test('lineage sees through plain operators with several inputs', () => {
  const { plan } = topology('lineage', () => [
    stream(numbers).pipe(mergeWith(stream(others)), to(out)),
  ])
  const named = plan.edges.map(({ from, to }) => [plan.nodes[from]?.name, plan.nodes[to]?.name])
  expect(named).toEqual([
    ['numbers', 'rxjs-1'],
    ['others', 'rxjs-1'],
    ['rxjs-1', 'to-out'],
  ])
  expect(plan.subTopologies[0]!.hasPlainSteps).toBe(true)
})

const invented = new StreamRecord('k', 1, 0, [])

test.each<[string, Step, string]>([
  ['startWith', ($) => $.pipe(startWith(invented)), 'STREAMS_EMITTED_AT_BUILD'],
  ['take(0)', ($) => $.pipe(take(0)), 'STREAMS_COMPLETED'],
  ['throwError', ($) => $.pipe(() => throwError(() => 'no')), 'STREAMS_TOPOLOGY_INVALID'],
])('refused at build: %s', (_, step, code) => expect(codeOf(() => runnerOf(step))).toBe(code))

const fail = (): Item => {
  throw new Error('boom')
}
const rekey = (record: Item): Item => new StreamRecord('other', record.value, 0, [])
const twice = (record: Item): Numbers => of(record, rekey(record))

test.each<[string, Step, string]>([
  ['take(1) completes', plain(take(1)), 'STREAMS_COMPLETED'],
  ['takeWhile completes', plain(takeWhile(() => false)), 'STREAMS_COMPLETED'],
  ['map to a value', ($) => $.pipe(map(({ value }) => value)) as never, 'STREAMS_NOT_A_RECORD'],
  ['bufferCount', ($) => $.pipe(bufferCount(1)) as never, 'STREAMS_NOT_A_RECORD'],
  ['map to another key', ($) => $.pipe(map(rekey)), 'STREAMS_KEY_CHANGED'],
  ['mergeMap to another key', ($) => $.pipe(mergeMap(twice)), 'STREAMS_KEY_CHANGED'],
  ['switchMap to a node', ($) => $.pipe(switchMap(() => $)), 'STREAMS_SUBSCRIBED'],
  ['a pipe at data time', ($) => $.pipe(switchMap(() => $.pipe(plus(1)))), 'STREAMS_SUBSCRIBED'],
  ['retry around map', ($) => $.pipe(pipe(map(fail), retry())), 'STREAMS_UNSUBSCRIBED'],
  [
    'resubscription by catchError',
    ($) =>
      $.pipe(
        pipe(
          map(fail),
          catchError((_, caught) => caught),
        ),
      ),
    'STREAMS_UNSUBSCRIBED',
  ],
  [
    'catchError around map',
    ($) =>
      $.pipe(
        pipe(
          map(fail),
          catchError(() => NEVER),
        ),
      ),
    'STREAMS_UNSUBSCRIBED',
  ],
])('stops at the first record: %s', (_, step, code) => {
  const runner = runnerOf(step)
  expect(codeOf(() => runner.pipe(numbers, 'k', 1))).toBe(code)
  expect(runner.values(out)).toEqual([])
})

test.each<[string, OperatorFunction<Item, Item>]>([
  ['retry', retry()],
  ['catchError', catchError(() => NEVER)],
])('%s as a step of its own is inert: a throw goes to the handler, not downstream', (_, op) => {
  const runner = runnerOf(($) => $.pipe(map(fail), op))
  expect(runner.pipe(numbers, 'k', 1)).toMatchObject({ node: 'rxjs-1', cause: { message: 'boom' } })
})

test('a cycle through a Subject is re-entry, found at the node that is entered twice', () => {
  const runner = runnerOf(($) => {
    const again = new Subject<Item>()
    return $.pipe(
      mergeWith(again),
      plus(1),
      tap((record) => again.next(record)),
    )
  })
  expect(codeOf(() => runner.pipe(numbers, 'k', 1))).toBe('STREAMS_REENTRY')
})

test('a Subject that bridges two branches is a hidden edge, found at its first record', () => {
  const runner = runnerOf(($) => {
    const bridge = new Subject<Item>()
    const bridged$ = $.pipe(mergeWith(bridge)) // the record has been inside, and left
    return merge(bridged$, $.pipe(tap((record) => bridge.next(record))))
  })
  expect(codeOf(() => runner.pipe(numbers, 'k', 1))).toBe('STREAMS_UNTRACKED_STREAM')
})

test('pushing a record from inside a step is re-entry', () => {
  const runner: TopologyRunner = runnerOf(($) => $.pipe(tap(() => runner.pipe(numbers, 'k', 2))))
  expect(codeOf(() => runner.pipe(numbers, 'k', 1))).toBe('STREAMS_REENTRY')
})
