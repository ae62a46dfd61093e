/**
 * Goal: the durable side of effect(): what is stored, what a completion does, what restarts keep.
 * Method: completions are fed by hand; the runner that makes the calls has its own tests.
 */

import { expect, test } from 'vitest'
import {
  effect,
  type EffectResult,
  json,
  outboxStore,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { noHeaders, StreamRecord } from '../../src/record.ts'
import type { EffectOutcome } from '../../src/topology/effect-node.ts'
import { TopologyRunner } from '../topology/run-topology.ts'
import { numbers } from '../topology/shared.ts'

const charges = outboxStore('charges', { key: utf8, value: json<number>() })
const results = topic('results', { key: utf8, value: json<EffectResult<number, string>>() })

const charging = topology('charging', () => [
  stream(numbers).pipe(
    effect(charges, async (cents, { idempotencyKey }) => `${cents} ${idempotencyKey}`),
    to(results),
  ),
])

const rowKeys = (runner: TopologyRunner): string[] =>
  [...runner.task().effect('charges').pendingRows()].map(({ rowKey }) => rowKey)

const complete = (runner: TopologyRunner, rowKey: string, outcome: EffectOutcome): void =>
  expect(runner.complete('charges', { rowKey, outcome })).toBeUndefined()

const done = (value: string, attempts = 1): EffectOutcome => ({ kind: 'done', value, attempts })
const unknown = (attempts: number): EffectOutcome => ({
  kind: 'unknown',
  error: 'no answer',
  attempts,
})

test('a record stores a row and asks for the call; nothing is emitted yet', () => {
  const runner = new TopologyRunner(charging)
  runner.pipe(numbers, 'o1', 500, 7)
  const [row] = [...runner.task().effect('charges').pendingRows()]
  expect(row).toMatchObject({
    key: 'o1',
    seq: 1,
    idempotencyKey: 'charges-o1-1',
    request: 500,
    timestampMs: 7,
    attempts: 0,
    state: 'pending',
  })
  expect(runner.task().effectRequests).toEqual([`charges ${row!.rowKey}`])
  expect(runner.values(results)).toEqual([])
})

test('the call gets the request and the key', async () => {
  const runner = new TopologyRunner(charging)
  const { signal } = new AbortController()
  const node = runner.task().effect('charges')
  expect(await node.call(500, { key: 'o1', idempotencyKey: 'id', attempt: 1, signal })).toBe(
    '500 id',
  )
  expect(node.settings).toEqual({
    maxInFlight: 64,
    attemptsMax: 5,
    timeoutMs: 10_000,
    backoffMs: 200,
    backoffMaxMs: 30_000,
  })
})

test('an answer ends the row and is a record with the time of the completion', () => {
  const runner = new TopologyRunner(charging)
  runner.pipe(numbers, 'o1', 500, 7)
  runner.advanceWallClockTo(90)
  complete(runner, rowKeys(runner)[0]!, done('paid', 2))
  expect(runner.read(results)).toMatchObject([
    {
      key: 'o1',
      timestampMs: 90,
      value: {
        kind: 'done',
        request: 500,
        value: 'paid',
        attempts: 2,
        idempotencyKey: 'charges-o1-1',
      },
    },
  ])
  expect(rowKeys(runner)).toEqual([])
})

test('a completion that comes twice, or for a row that never was, changes nothing', () => {
  const runner = new TopologyRunner(charging)
  runner.pipe(numbers, 'o1', 500)
  const [rowKey] = rowKeys(runner)
  complete(runner, rowKey!, done('paid'))
  complete(runner, rowKey!, done('paid again'))
  complete(runner, `${rowKey}x`, unknown(5))
  expect(runner.values(results)).toHaveLength(1)
})

test('unknown is reported once and the row stays; the answer comes later', () => {
  const runner = new TopologyRunner(charging)
  runner.pipe(numbers, 'o1', 500)
  const [rowKey] = rowKeys(runner)
  complete(runner, rowKey!, unknown(5))
  complete(runner, rowKey!, unknown(10))
  expect(runner.values(results)).toEqual([
    {
      kind: 'unknown',
      request: 500,
      attempts: 5,
      error: 'no answer',
      idempotencyKey: 'charges-o1-1',
    },
  ])
  expect(runner.task().effect('charges').row(rowKey!)).toMatchObject({
    state: 'unknown',
    attempts: 10,
  })
  complete(runner, rowKey!, done('paid', 11))
  expect(runner.values(results)).toMatchObject([{ kind: 'done', attempts: 11 }])
})

test('rows, numbers and keys survive a restart; numbers are never used again', async () => {
  const runner = new TopologyRunner(charging)
  runner.pipe(numbers, 'o1', 500)
  runner.pipe(numbers, 'o2', 700)
  const before = [...runner.task().effect('charges').pendingRows()]
  await runner.restart()
  expect([...runner.task().effect('charges').pendingRows()]).toEqual(before)
  for (const rowKey of rowKeys(runner)) complete(runner, rowKey, done('paid'))
  await runner.restart()
  expect(rowKeys(runner)).toEqual([])
  runner.pipe(numbers, 'o1', 900)
  expect([...runner.task().effect('charges').pendingRows()]).toMatchObject([
    { seq: 3, idempotencyKey: 'charges-o1-3' },
  ])
})

test('rows of one key are listed in the order of their requests', () => {
  const runner = new TopologyRunner(charging)
  for (let i = 0; i < 300; i++) runner.pipe(numbers, i % 2 === 0 ? 'long key' : 'k', i)
  const rows = [...runner.task().effect('charges').pendingRows()]
  for (const key of ['k', 'long key']) {
    const requests = rows.filter((row) => row.key === key).map(({ request }) => request)
    expect(requests).toEqual(requests.toSorted((a, b) => (a as number) - (b as number)))
    expect(requests).toHaveLength(150)
  }
})

test('records without key or value are dropped and counted', () => {
  const runner = new TopologyRunner(charging)
  runner.pipe(numbers, undefined, 1)
  runner.pipe(numbers, 'k', undefined)
  expect(runner.dropped).toEqual(['charges nullKey', 'charges nullValue'])
  expect(rowKeys(runner)).toEqual([])
})

test('headers of the request come back with the result, over a restart too', async () => {
  const runner = new TopologyRunner(charging)
  const headers = [
    { key: 'traceparent', value: Buffer.from([0, 255]) },
    { key: 'n', value: null },
  ]
  runner.task().push('numbers', new StreamRecord('o1', 5, 0, headers))
  await runner.restart()
  complete(runner, rowKeys(runner)[0]!, done('paid'))
  expect(runner.read(results)[0]!.headers).toEqual(headers)
  expect(noHeaders).toEqual([])
})

test('keys that print alike get different idempotency keys; one of your own wins', () => {
  interface Id {
    readonly id: number
  }
  const byId = topic('by-id', { key: json<Id>(), value: json<number>() })
  const keyed = outboxStore('keyed', byId)
  const own = outboxStore('own', byId)
  const runner = new TopologyRunner(
    topology('t', () => {
      const byId$ = stream(byId)
      return [
        byId$.pipe(effect(keyed, async (value) => value)),
        byId$.pipe(
          effect(own, async (value) => value, {
            idempotencyKeyOf: ({ key, value }) => `charge/${key.id}/${value}`,
          }),
        ),
      ]
    }),
  )
  runner.pipe(byId, { id: 1 }, 5)
  const keysOf = (store: typeof keyed): string[] =>
    [...runner.store(store).rows()].map(({ idempotencyKey }) => idempotencyKey)
  const text = Buffer.from('{"id":1}').toString('base64url')
  expect([keysOf(keyed), keysOf(own)]).toEqual([[`keyed-${text}-1`], ['charge/1/5']])
})
