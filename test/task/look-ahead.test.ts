/** Records decoded ahead: used once, in order, and never in the way of a failure. */

import { expect, test } from 'vitest'
import { RawRecord } from '../../src/broker/port.ts'
import { noHeaders } from '../../src/record.ts'
import { json } from '../../src/serde/json.ts'
import { utf8 } from '../../src/serde/utf8.ts'
import { LookAhead } from '../../src/task/look-ahead.ts'
import { RecordQueue } from '../../src/task/record-queue.ts'

const source = {
  logicalName: 'a',
  serdes: { key: utf8, value: json<unknown>() },
  acceptsNull: false,
} as const

/** Values as JSON text, two records per batch. */
const queueOf = (values: readonly string[]): RecordQueue => {
  const queue = new RecordQueue('a', 0, 0n)
  for (let base = 0; base < values.length; base += 2) {
    const records = values
      .slice(base, base + 2)
      .map((text, delta) => new RawRecord(delta, 0, null, Buffer.from(text), noHeaders))
    const end = BigInt(base + records.length)
    queue.enqueue({
      topic: 'a',
      partition: 0,
      baseOffset: BigInt(base),
      sizeBytes: 1,
      records,
      nextOffset: end,
      logStartOffset: 0n,
      leaderEpoch: 1,
      lastStableOffset: end,
      highWatermark: end,
    })
  }
  return queue
}

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`)

test('decodes over batch ends, hands each record out once, in order', () => {
  const queue = queueOf(['0', '1', '{', '3', '4'])
  queue.pop()
  const ahead = new LookAhead({ queue, source })
  expect(ahead.isDue).toBe(true)
  expect(ahead.look().map(({ value }) => value)).toEqual([1, 3, 4])
  const taken: unknown[] = []
  for (let raw = queue.peek(); raw !== undefined; raw = queue.peek()) {
    taken.push(ahead.take(raw)?.value, ahead.take(raw)?.value)
    queue.pop()
  }
  // each once; a second try decodes anew, and the broken one is left to its turn
  expect(taken).toEqual([1, undefined, undefined, undefined, 3, undefined, 4, undefined])
})

test('looks again once all it decoded was taken, and not before', () => {
  const queue = queueOf(texts(1_000))
  const ahead = new LookAhead({ queue, source })
  const looks: number[] = []
  for (let i = 0; i < 1_000; i++) {
    if (ahead.isDue) looks.push(ahead.look().length)
    expect(ahead.take(queue.peek()!)?.value).toBe(i)
    queue.pop()
  }
  expect(looks.length).toBeGreaterThan(2)
  expect(looks.reduce((sum, count) => sum + count)).toBe(1_000)
})
