/**
 * Goal: records that only go on to topics are copied, and nobody can tell by what is written.
 * Method: the same random records through a topology that copies and through its twin, which
 * decodes since a filter looks at them; outputs and dead letters are compared byte by byte.
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProduceRecord } from '../../src/broker/port.ts'
import { PackedBatch } from '../../src/broker/records/packed-batch.ts'
import { PackedRecords } from '../../src/broker/records/packed-records.ts'
import { bytes, filter, type Serde, stream, to, topic, topology, utf8 } from '../../src/index.ts'
import type { Topology } from '../../src/topology/topology.ts'
import { Site } from './fixture.ts'

let decoded = 0
const watched: Serde<Uint8Array> = {
  ...bytes,
  decode: (encoded) => {
    decoded += 1
    return bytes.decode(encoded)
  },
  decodeSlice: (buffer, start, end) => {
    decoded += 1
    return bytes.decodeSlice!(buffer, start, end)
  },
}

const serdes = { key: utf8, value: watched }
const input = topic('input', serdes)
const wide = topic('wide', serdes)
const narrow = topic('narrow', serdes)
const others = topic('others', { key: utf8, value: bytes })

const copying = topology('copying', () => {
  const records$ = stream(input)
  return [records$.pipe(to(wide)), records$.pipe(to(narrow))]
})

const decoding = topology('decoding', () => {
  const records$ = stream(input).pipe(filter(() => true))
  return [records$.pipe(to(wide)), records$.pipe(to(narrow))]
})

interface Written {
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: string | undefined
  readonly value: string | undefined
  readonly headers: readonly (readonly [string, string | undefined])[]
}

const hex = (content: Uint8Array | null): string | undefined =>
  content === null ? undefined : Buffer.from(content).toString('hex')

const written = async ({ broker }: Site, name: string): Promise<readonly Written[]> => {
  const found: Written[] = []
  const { partitions } = (await broker.topics.describe([name])).get(name)!
  const fetcher = broker.fetcher('reader')
  for (let partition = 0; partition < partitions; partition++) {
    const [batch] = await fetcher.fetch(
      [{ topic: name, partition, offset: 0n, maxBytes: 10_000_000 }],
      { isolation: 'read_committed', maxWaitMs: 0 },
    )
    for (const { offsetDelta, key, value, timestampMs, headers } of batch!.records) {
      found.push({
        partition,
        offset: batch!.baseOffset + BigInt(offsetDelta),
        timestampMs,
        key: hex(key),
        value: hex(value),
        headers: headers
          .filter((header) => !header.key.endsWith('stacktrace')) // the only thing that may differ
          .map((header) => [header.key, hex(header.value)]),
      })
    }
  }
  await fetcher.close()
  return found
}

interface Outcome {
  readonly wide: readonly Written[]
  readonly narrow: readonly Written[]
  readonly deadLetters: readonly Written[]
}

const outcome = async (running: Topology, inputs: readonly ProduceRecord[]): Promise<Outcome> => {
  const site = await Site.open()
  await site.createTopics([input], 2)
  await site.createTopics([wide, others], 3)
  await site.createTopics([narrow], 2, { maxMessageBytes: 300 })
  for (const [index, record] of inputs.entries()) {
    const packed = new PackedRecords({ segmentBytesMax: 10_000, expectedBytes: 100 })
    const { timestampMs, key, value, headers } = record
    packed.append(timestampMs, key, value, headers)
    const batch = new PackedBatch(input.name, index % 2, [packed]) // views, as of Kafka
    await site.broker.producer('loader').send([batch])
  }
  const instance = await site.start({ topology: running })
  await site.idle()
  const found = {
    wide: await written(site, 'wide'),
    narrow: await written(site, 'narrow'),
    deadLetters: await written(site, 'app-dead-letters'),
  }
  instance.kill()
  return found
}

const ascii = fc.string({ maxLength: 40 })
const content = fc.oneof(
  ascii.map((text) => Buffer.from(text)),
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 20 }).map((found) => Buffer.from(found)), // mostly no UTF-8
  fc.integer({ min: 100, max: 400 }).map((length) => Buffer.alloc(length, 'x')),
)
const record: fc.Arbitrary<ProduceRecord> = fc.record({
  key: fc.option(content, { nil: null }),
  value: fc.option(content, { nil: null, freq: 9 }),
  timestampMs: fc.integer({ min: 0, max: 1_000_000 }),
  headers: fc.array(fc.record({ key: ascii, value: fc.option(content, { nil: null }) }), {
    maxLength: 2,
  }),
})

describe('records that only go on to topics', () => {
  test('are written as if they had been decoded, and fail as if they had', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 25 }), async (inputs) => {
        expect(await outcome(copying, inputs)).toEqual(await outcome(decoding, inputs))
      }),
      { numRuns: 60 },
    )
  }, 60_000)

  const plain = (key: Buffer | null): ProduceRecord => ({
    key,
    value: Buffer.from('value'),
    timestampMs: 7,
    headers: [],
  })

  test('are not decoded, unless their bytes must be looked at', async () => {
    decoded = 0
    const keys = [Buffer.from('a'), null, Buffer.alloc(120, 'k')]
    const { wide: copies } = await outcome(copying, keys.map(plain))
    expect([copies.length, decoded]).toEqual([3, 0])
    await outcome(copying, [plain(Buffer.from('é')), plain(Buffer.from([0xff]))])
    expect(decoded).toBe(1) // the key of the other was refused first
  })

  test('are decoded where a sink has other serdes, or somebody else listens', async () => {
    const elsewhere = topology('elsewhere', () => {
      const records$ = stream(input)
      return [records$.pipe(to(wide)), records$.pipe(to(narrow)), records$.pipe(to(others))]
    })
    const keyed = topology('keyed', () => {
      const records$ = stream(input)
      return [records$.pipe(to(wide)), records$.pipe(to(narrow, ({ key }) => key))]
    })
    for (const running of [elsewhere, keyed]) {
      decoded = 0
      await outcome(running, [plain(Buffer.from('a'))])
      expect(decoded).toBe(1)
    }
  })
})
