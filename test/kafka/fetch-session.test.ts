/**
 * Goal: fetch sessions are invisible: whatever the broker leaves out, forgets or refuses, a reader
 * gets every record once and true offsets. Method: the bookkeeping by itself; then a real fetcher
 * whose session is closed and overtaken from another connection.
 */

import { afterAll, beforeAll, describe, expect, it, onTestFinished, test, vi } from 'vitest'
import { bootstrapAddresses } from '../../src/broker/kafka/bootstrap-addresses.ts'
import { Cluster } from '../../src/broker/kafka/cluster.ts'
import { FetchSession, type FetchTarget } from '../../src/broker/kafka/fetch-session.ts'
import { type FetchAnswer, fetchApi } from '../../src/broker/kafka/protocol/fetch.ts'
import type { Broker, Fetcher } from '../../src/broker/port.ts'
import { systemClock } from '../../src/clock.ts'
import { batchOf, Probe } from '../contract/broker/probe.ts'
import { until } from './faults/until.ts'
import { KafkaHarness } from './kafka-harness.ts'
import { realKafka } from './real-kafka.ts'

const target = (partition: number, offset = 0): FetchTarget => ({
  topicId: 'id',
  partition,
  leaderEpoch: 0,
  offset,
  maxBytes: 1_000,
})

const answerOf = (sessionId: number, ...partitions: readonly number[]): FetchAnswer => ({
  errorCode: 0,
  sessionId,
  partitions: partitions.map((partition) => ({
    topicId: 'id',
    partition,
    errorCode: 0,
    highWatermark: 10 + partition,
    lastStableOffset: 10,
    logStartOffset: 0,
    aborted: [],
    buffer: Buffer.alloc(9),
    end: 9,
  })),
})

const askedOf = ({ topics }: ReturnType<FetchSession['request']>): readonly number[] =>
  topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition))

/** After its first fetch, without a session, and its full one. */
const openSession = (...partitions: readonly number[]): FetchSession => {
  const session = new FetchSession()
  const targets = partitions.map((partition) => target(partition))
  expect(session.request(targets, true)).toMatchObject({ sessionId: 0, sessionEpoch: -1 })
  const full = session.request(targets, true)
  expect(full).toMatchObject({ sessionId: 0, sessionEpoch: 0, forgotten: [] })
  expect(askedOf(full)).toEqual(partitions)
  session.answered(full, answerOf(42, ...partitions))
  return session
}

test('says what changed, and takes what is left out for unchanged', () => {
  const session = openSession(0, 1, 2)
  const request = session.request([target(0), target(1, 5), target(3)], true)
  expect(request).toMatchObject({ sessionId: 42, sessionEpoch: 1 })
  expect(askedOf(request)).toEqual([1, 3])
  expect(request.forgotten).toEqual([{ topicId: 'id', partitions: [2] }])
  const known = session.answered(request, answerOf(42, 3))
  expect(known.map(({ partition, highWatermark }) => [partition, highWatermark])).toEqual([
    [3, 13],
    [0, 10],
    [1, 11],
  ])
  expect(known[0]).toMatchObject({ end: 9 })
  expect(known[1]).toMatchObject({ end: 0 })
  const next = session.request([target(0), target(1, 5), target(3)], true)
  expect([next.sessionEpoch, askedOf(next), next.forgotten]).toEqual([2, [], []])
})

test('a partition answered with an error is asked for again in full', () => {
  const session = openSession(0, 1)
  const request = session.request([target(0), target(1)], true)
  const { partitions, ...answer } = answerOf(42, 1)
  const failed = partitions.map((fetched) => ({ ...fetched, errorCode: 6 }))
  expect(session.answered(request, { ...answer, partitions: failed })).toHaveLength(2)
  expect(askedOf(session.request([target(0), target(1)], true))).toEqual([1])
})

test('begins anew after an error, and without a slot of the broker', () => {
  const session = openSession(0, 1)
  session.reset()
  const full = session.request([target(0)], true)
  expect([full.sessionId, full.sessionEpoch, askedOf(full)]).toEqual([0, 0, [0]])
  session.answered(full, answerOf(0, 0))
  expect(session.request([target(0)], true)).toMatchObject({ sessionId: 0, sessionEpoch: 0 })
})

test('who must hear of every partition fetches without it', () => {
  const session = openSession(0, 1)
  const request = session.request([target(0), target(1)], false)
  expect(request).toMatchObject({ sessionId: 0, sessionEpoch: -1, forgotten: [] })
  expect(askedOf(request)).toEqual([0, 1])
  expect(session.answered(request, answerOf(0, 0))).toHaveLength(1)
})

const kafka = await realKafka()

describe.skipIf('skipped' in kafka)('a fetch session on Kafka', () => {
  const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap
  let harness: KafkaHarness
  let broker: Broker
  let cluster: Cluster

  beforeAll(async () => {
    harness = new KafkaHarness({ bootstrap })
    broker = await harness.broker()
    cluster = await Cluster.open({
      bootstrap: bootstrapAddresses(bootstrap),
      clientId: 'by-hand',
      clock: systemClock,
      connectTimeoutMs: 2_000,
      requestTimeoutMs: 5_000,
      retryTimeoutMs: 5_000,
    })
  })
  afterAll(async () => {
    await cluster.close()
    await harness.dispose()
  })

  /** Reads two partitions one after the other as they are written; knows the session in use. */
  const reader = async () => {
    const spy = vi.spyOn(FetchSession.prototype, 'request')
    const answered = vi.spyOn(FetchSession.prototype, 'answered')
    onTestFinished(() => {
      spy.mockRestore()
      answered.mockRestore()
    })
    const topic = await new Probe(broker).create(harness.uniqueName('session'), 2)
    const fetcher: Fetcher = broker.fetcher('session')
    const producer = broker.producer('session')
    const [offsets, values]: [bigint[], string[]] = [[0n, 0n], []]
    const fetch = async (maxWaitMs: number): Promise<void> => {
      const requests = offsets.map((offset, partition) => ({
        topic,
        partition,
        offset,
        maxBytes: 100_000,
      }))
      const batches = await fetcher.fetch(requests, { isolation: 'read_committed', maxWaitMs })
      for (const { partition, records, nextOffset, highWatermark } of batches) {
        values.push(...records.map(({ value }) => Buffer.from(value!).toString()))
        offsets[partition] = nextOffset
        expect(nextOffset).toBeLessThanOrEqual(highWatermark)
      }
    }
    const send = async (partition: number, value: string): Promise<void> => {
      await producer.send([batchOf(topic, partition, value)])
      while (values.at(-1) !== value) await fetch(200)
    }
    const asked = () => spy.mock.results.map(({ value }) => value as Asked)
    /** The epochs of the sessions in use, when no request of theirs is on its way any more. */
    const sessionsAtRest = async (): Promise<ReadonlyMap<number, number>> => {
      await fetch(700) // asks for nothing between two fetches
      const inUse = asked().filter(({ sessionId }) => sessionId > 0)
      const last = [...new Map(inUse.map((request) => [request.sessionId, request])).values()]
      const told = () => new Set(answered.mock.calls.map(([request]) => request))
      await until('the last answers', () => last.every((request) => told().has(request)))
      return new Map(last.map(({ sessionId, sessionEpoch }) => [sessionId, sessionEpoch]))
    }
    return { topic, fetch, send, sessionsAtRest, values, asked }
  }

  type Asked = ReturnType<FetchSession['request']>

  it('asks for nothing again while nothing happens, and reads on', async () => {
    const { fetch, send, values, asked } = await reader()
    for (const value of ['a', 'b', 'c']) await send(0, value)
    await fetch(700)
    await fetch(700)
    const idle = asked().filter(({ sessionId, topics }) => sessionId > 0 && topics.length === 0)
    expect(idle.length).toBeGreaterThan(0)
    await send(1, 'd')
    await send(0, 'e')
    expect(values).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it.each([
    ['was closed', (): number => -1],
    ['was overtaken', (epoch: number) => epoch + 1],
  ])('a session that %s is begun anew; nothing is lost or read twice', async (_how, next) => {
    const { topic, send, sessionsAtRest, values, asked } = await reader()
    for (const value of ['a', 'b', 'c']) await send(0, value)
    const sessions = await sessionsAtRest()
    expect(sessions.size).toBeGreaterThan(0)
    const { node } = await cluster.leader({ topic, partition: 0 })
    const connection = await cluster.connections.get('by-hand', node)
    const codes = new Set<number>()
    for (const [sessionId, epoch] of sessions) {
      const epochs = [sessionId, next(epoch)] as const
      const { errorCode } = await fetchApi.async(connection, 0, 0, 1, 1, ...epochs, [], [], '')
      codes.add(errorCode)
    }
    expect(codes).toContain(0) // that of the session in use; one that ended before is unknown
    const before = asked().length
    await send(1, 'd')
    await send(0, 'e')
    expect(values).toEqual(['a', 'b', 'c', 'd', 'e'])
    const full = asked().slice(before)
    expect(full.some(({ sessionEpoch }) => sessionEpoch === 0)).toBe(true)
  })
})
