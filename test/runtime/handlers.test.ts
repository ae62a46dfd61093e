/**
 * What becomes of a record that fails: each kind of failure with each answer of its handler.
 *
 * Whatever the answer, the store must not remember the failed record, and the records before and
 * after it are processed once.
 */

import { describe, expect, test } from 'vitest'
import {
  type HandlerAnswer,
  json,
  keyValueStore,
  process,
  type RuntimeConfig,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { Site } from './fixture.ts'
import type { Instance } from './instance.ts'

interface Order {
  readonly text: string
}
const orders = topic('orders', { key: utf8, value: json<Order>() })
const lines = topic('lines', { key: utf8, value: json<string>() })
const counts = keyValueStore('count', { key: utf8, value: json<number>() })
const deadLetters = topic('app-dead-letters', { key: utf8, value: utf8 })
const lineBytesMax = 300

/** Throws for the first `throws` attempts at an order named poison; counts every other order. */
const numbering = (throws: number) => {
  let attempts = 0
  const numbers = topology('numbering', () => [
    stream(orders).pipe(
      process(
        'number',
        { counts },
        {
          onRecord({ key, value: { text } }, stores): readonly string[] {
            const count = (stores.counts.get(key) ?? 0) + 1
            stores.counts.put(key, count)
            if (text === 'poison') {
              attempts += 1
              if (attempts <= throws) throw new Error(`poison ${attempts}`)
            }
            return [`${count} ${text}`]
          },
        },
      ),
      to(lines),
    ),
  ])
  return { numbers, attempts: () => attempts }
}

const failures = {
  onDeserializationError: {
    bytes: '{ not json',
    code: 'STREAMS_DESERIALIZATION',
    node: 'orders',
  },
  onProcessingError: {
    bytes: '{"text":"poison"}',
    code: 'STREAMS_PROCESSING',
    node: 'number',
  },
  onProductionError: {
    bytes: JSON.stringify({ text: 'x'.repeat(lineBytesMax) }),
    code: 'STREAMS_PRODUCTION',
    node: 'to-lines',
  },
} as const
type Handler = keyof typeof failures
const handlers = Object.keys(failures) as readonly Handler[]

interface Run {
  readonly site: Site
  readonly instance: Instance
  readonly attempts: () => number
}

/** Of the record that fails: before the clock's start, as in a backlog. */
const failingMs = 400_000

/** An order, the one that fails, another order. */
const run = async (
  handler: Handler,
  answer: HandlerAnswer,
  { throws = Infinity, ...config }: Partial<RuntimeConfig> & { readonly throws?: number } = {},
): Promise<Run> => {
  const site = await Site.open()
  await site.createTopics([orders])
  await site.createTopics([lines], 1, { maxMessageBytes: lineBytesMax })
  const { numbers, attempts } = numbering(throws)
  const instance = await site.start({ topology: numbers, config: { [handler]: answer, ...config } })
  await site.send(orders, 'k', { text: 'a' })
  const value = Buffer.from(failures[handler].bytes)
  await site.sendBytes(orders, Buffer.from('k'), value, { timestampMs: failingMs })
  await site.send(orders, 'k', { text: 'b' })
  return { site, instance, attempts }
}

const headersOf = async (site: Site): Promise<Readonly<Record<string, string>>> => {
  const found = await site.read(deadLetters)
  expect(found).toHaveLength(1)
  return Object.fromEntries(found[0]!.headers.map(({ key, value }) => [key, String(value)]))
}

describe.each(handlers)('%s', (handler) => {
  const { bytes, code, node } = failures[handler]

  test('fail: the instance stops and names the record; nothing of it is kept', async () => {
    const {
      site,
      instance: { application },
    } = await run(handler, 'fail')
    await site.until(() => application.state === 'failed')
    await expect(application.stopped).rejects.toMatchObject({
      code: 'STREAMS_HANDLER_FAILED',
      message: expect.stringContaining(`task 0_0, node ${node}, record orders-0@1`) as string,
    })
    await expect(application.stopped).rejects.toThrow(`the handler for ${code} is set to fail`)
    expect(['', '1 a']).toContain((await site.values(lines)).join())
    expect(await site.read(deadLetters)).toEqual([])
    expect((await site.committed('orders')).offset).toBeLessThanOrEqual(1n)
  })

  test('skip: the next records go on as if it had not been', async () => {
    const {
      site,
      instance: { application },
    } = await run(handler, 'skip')
    await site.idle()
    expect(await site.values(lines)).toEqual(['1 a', '2 b'])
    expect(application.query(counts).get('k')).toBe(2)
    expect(await site.read(deadLetters)).toEqual([])
    expect(application.metrics().counters.skipped).toBe(1)
  })

  test('deadLetter: original bytes, where and why; in the transaction of the record', async () => {
    const {
      site,
      instance: { application },
    } = await run(handler, 'deadLetter', { applicationVersion: '1.2.3' })
    await site.idle()
    expect(await site.values(lines)).toEqual(['1 a', '2 b'])
    expect(application.query(counts).get('k')).toBe(2)
    expect(await site.values(deadLetters)).toEqual([bytes])
    expect(await headersOf(site)).toMatchObject({
      '__streams.errors.topic': 'orders',
      '__streams.errors.partition': '0',
      '__streams.errors.offset': '1',
      '__streams.errors.exception': expect.stringContaining('Error') as string,
      '__millrace.code': code,
      '__millrace.class': code === 'STREAMS_PROCESSING' ? 'transient' : 'poison',
      '__millrace.timestamp-ms': String(failingMs),
      '__millrace.task': '0_0',
      '__millrace.node': node,
      '__millrace.attempts': '1',
      '__millrace.application': 'app',
      '__millrace.version': '1.2.3',
    })
    // its own time is that of the failure: retention counts from there
    expect((await site.read(deadLetters))[0]!.timestampMs).toBeGreaterThan(2 * failingMs)
  })

  test('retry: attempts with doubling pauses, then the dead letters', async () => {
    const failureClasses = { [code]: 'transient' } as const
    const pauses = { retryAttemptsMax: 4, retryBackoffMs: 1_000, retryBackoffMaxMs: 3_000 }
    const config = { ...pauses, failureClasses }
    const {
      site,
      instance: { application },
    } = await run(handler, 'retry', config)
    const startMs = site.clock.nowMs()
    const retryAtMs: number[] = []
    for (let retries = 1; retries < 4; retries++) {
      await site.until(() => application.metrics().counters.retries === retries)
      retryAtMs.push(site.clock.nowMs() - startMs)
      await site.turn(4)
      expect(await site.values(lines)).toEqual(['1 a'])
    }
    await site.until(() => application.metrics().counters.deadLetters === 1)
    retryAtMs.push(site.clock.nowMs() - startMs)
    const pausesMs = retryAtMs.slice(1).map((timeMs, i) => timeMs - retryAtMs[i]!)
    expect(pausesMs.map((ms) => Math.round(ms / 100) * 100)).toEqual([1_000, 2_000, 3_000])
    await site.idle()
    expect(await headersOf(site)).toMatchObject({ '__millrace.attempts': '4' })
    expect(await site.values(lines)).toEqual(['1 a', '2 b'])
    expect(application.query(counts).get('k')).toBe(2)
  })
})

test.each([
  ['onDeserializationError', {}, 'poison'],
  ['onProductionError', {}, 'poison'],
  ['onProcessingError', { Error: 'business' }, 'business'],
] as const)('retry: %s, class by %j: %s is no use trying again', async (handler, own, expected) => {
  const {
    site,
    instance: { application },
  } = await run(handler, 'retry', { failureClasses: own })
  await site.idle()
  expect(application.metrics().counters).toMatchObject({ retries: 0, deadLetters: 1 })
  expect(application.metrics().counters.deadLettersBy.counts()).toEqual([
    { topic: 'orders', failureClass: expected, count: 1 },
  ])
  expect(await headersOf(site)).toMatchObject({
    '__millrace.attempts': '1',
    '__millrace.class': expected,
  })
  expect(await site.values(lines)).toEqual(['1 a', '2 b'])
})

test('a class that there is none of is refused', async () => {
  const failureClasses = { BAD: 'odd' } as unknown as RuntimeConfig['failureClasses']
  await expect(run('onProcessingError', 'retry', { failureClasses })).rejects.toThrow(
    'failureClasses: BAD is odd, not one of poison, business, transient',
  )
})

test('retry: a record that succeeds at a later attempt is processed once', async () => {
  const {
    site,
    instance: { application },
    attempts,
  } = await run('onProcessingError', 'retry', { throws: 2 })
  await site.until(() => attempts() === 3)
  await site.idle()
  expect(await site.values(lines)).toEqual(['1 a', '2 poison', '3 b'])
  expect(application.query(counts).get('k')).toBe(3)
  expect(await site.read(deadLetters)).toEqual([])
})

test('a crash before the commit of a dead letter leaves one, not two', async () => {
  const {
    site,
    instance: { kill, disk },
  } = await run('onProcessingError', 'deadLetter')
  kill()
  const { numbers } = numbering(Infinity)
  await site.start({ topology: numbers, disk })
  await site.idle()
  expect(await site.values(deadLetters)).toEqual([failures.onProcessingError.bytes])
  expect(await site.values(lines)).toEqual(['1 a', '2 b'])
})

test('dead letters may go to a topic of your own', async () => {
  const site = await Site.open()
  const own = topic('sick-orders', { key: utf8, value: utf8 })
  await site.createTopics([orders, lines, own], 1)
  const { numbers } = numbering(Infinity)
  await site.start({ topology: numbers, config: { deadLetterTopic: own.name } })
  await site.send(orders, 'k', { text: 'poison' })
  await site.idle()
  expect(await site.values(own)).toEqual(['{"text":"poison"}'])
})

test('a replayed dead letter that fails again has one set of error headers', async () => {
  const { site } = await run('onProcessingError', 'deadLetter')
  await site.idle()
  const [first] = await site.read(deadLetters)
  await site.broker.producer('replay').send([
    {
      topic: 'orders',
      partition: 0,
      records: [
        {
          key: Buffer.from('k'),
          value: Buffer.from(first!.value),
          timestampMs: site.clock.nowMs(),
          headers: [...first!.headers, { key: 'mine', value: Buffer.from('kept') }],
        },
      ],
    },
  ])
  await site.idle()
  const second = (await site.read(deadLetters))[1]!
  const names = second.headers.map(({ key }) => key)
  expect(names.filter((name) => name === '__streams.errors.offset')).toHaveLength(1)
  const offset = second.headers.find(({ key }) => key === '__streams.errors.offset')!
  expect(String(offset.value)).toBe('3')
  expect(names).toContain('mine')
})
