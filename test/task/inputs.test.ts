/** Queues, groups and progress: what a task knows of its inputs. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type RawBatch, RawRecord } from '../../src/broker/port.ts'
import { noHeaders } from '../../src/record.ts'
import { InputProgress } from '../../src/task/input-progress.ts'
import { PartitionGroup } from '../../src/task/partition-group.ts'
import { RecordQueue } from '../../src/task/record-queue.ts'

/** Records at these offsets and times; `end` is where the next fetch starts. */
const batch = (
  topic: string,
  entries: readonly (readonly [offset: number, timestampMs: number])[],
  end: number,
  lastStableOffset = end,
): RawBatch => {
  const base = entries[0]?.[0] ?? end
  const value = Buffer.from('x')
  return {
    topic,
    partition: 0,
    baseOffset: BigInt(base),
    sizeBytes: entries.length * 10,
    records: entries.map(
      ([offset, timestampMs]) => new RawRecord(offset - base, timestampMs, null, value, noHeaders),
    ),
    nextOffset: BigInt(end),
    logStartOffset: 0n,
    leaderEpoch: 1,
    lastStableOffset: BigInt(lastStableOffset),
    highWatermark: BigInt(lastStableOffset),
  }
}

/** The same batch, its records behind a cursor that gives at most `atOnce` of them. */
const undecoded = (decoded: RawBatch, atOnce: number): RawBatch => {
  const { records, ...rest } = decoded
  return {
    ...rest,
    recordCount: records.length,
    get records(): never {
      throw new Error('all records were decoded')
    },
    cursor: () => {
      let next = 0
      return {
        next: (count) => records.slice(next, (next += Math.min(count, atOnce))),
      }
    },
  }
}

describe('RecordQueue', () => {
  test('records behind a cursor pass as decoded ones do', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 9 })
    const script = fc.array(fc.record({ gaps, pops: fc.nat(12) }), { maxLength: 12 })
    fc.assert(
      fc.property(script, fc.integer({ min: 1, max: 4 }), (steps, atOnce) => {
        const [decoded, cursor] = [new RecordQueue('a', 0, 0n), new RecordQueue('a', 0, 0n)]
        let end = 0
        for (const step of steps) {
          const entries = step.gaps.map((gap) => [(end += gap), end] as const)
          const fetched = batch('a', entries, (end += 2))
          decoded.enqueue(fetched)
          cursor.enqueue(undecoded(fetched, atOnce))
          for (let i = 0; i < step.pops && decoded.peek() !== undefined; i++) {
            expect(cursor.peek()?.timestampMs).toBe(decoded.peek()?.timestampMs)
            expect(cursor.headOffset).toBe(Number(decoded.position))
            decoded.pop()
            cursor.pop()
          }
          const facts = ({ position, recordCount, sizeBytes, fetchedTo, lag }: RecordQueue) => ({
            position,
            recordCount,
            sizeBytes,
            fetchedTo,
            lag,
          })
          expect(facts(cursor)).toEqual(facts(decoded))
        }
      }),
    )
  })

  test.each([
    ['a batch is released with its last record, if nothing that was decoded is a view', true],
    ['a batch of a serde that may hand out views is never released', false],
  ])('%s', (_, copies) => {
    const queue = new RecordQueue('a', 0, 0n, copies)
    const released: string[] = []
    for (const [name, offset] of [['first', 0] as const, ['second', 2] as const]) {
      const entries = [[offset, 1] as const, [offset + 1, 1] as const]
      const release = () => void released.push(name)
      queue.enqueue({ ...batch('a', entries, offset + 2), release })
    }
    queue.pop()
    expect(released).toEqual([])
    queue.pop()
    expect(released).toEqual(copies ? ['first'] : [])
    queue.pop()
    queue.pop()
    expect(released).toEqual(copies ? ['first', 'second'] : [])
  })

  test('a batch that holds fewer records than it says is noticed', () => {
    const queue = new RecordQueue('a', 0, 0n)
    const short = undecoded(batch('a', [[0, 1]], 2), 1)
    queue.enqueue(Object.create(short, { recordCount: { value: 2 } }) as RawBatch)
    expect(() => queue.pop()).toThrow('less than it says')
  })

  test('the position is the head, and past markers once it is empty', () => {
    const queue = new RecordQueue('a', 0, 5n)
    expect(queue.position).toBe(5n)
    queue.enqueue(
      batch(
        'a',
        [
          [5, 1],
          [7, 2],
        ],
        9,
      ),
    )
    expect(queue.position).toBe(5n)
    queue.pop()
    expect(queue.position).toBe(7n)
    queue.pop()
    expect(queue.position).toBe(9n)
    queue.enqueue(batch('a', [], 11))
    expect(queue.position).toBe(11n)
  })

  test('bytes are counted until a batch is finished', () => {
    const queue = new RecordQueue('a', 0, 0n)
    queue.enqueue(
      batch(
        'a',
        [
          [0, 1],
          [1, 1],
        ],
        2,
      ),
    )
    queue.pop()
    expect([queue.recordCount, queue.sizeBytes]).toEqual([1, 20])
    queue.pop()
    expect([queue.recordCount, queue.sizeBytes]).toEqual([0, 0])
  })

  test('many small batches pass through in order', () => {
    const queue = new RecordQueue('a', 0, 0n)
    for (let i = 0; i < 100; i++) queue.enqueue(batch('a', [[i, i]], i + 1))
    for (let i = 0; i < 100; i++) {
      expect(queue.peek()?.timestampMs).toBe(i)
      queue.pop()
    }
    expect(queue.peek()).toBeUndefined()
  })

  test('an offset below what was fetched is a bug, and said', () => {
    const queue = new RecordQueue('a', 0, 5n)
    expect(() => queue.enqueue(batch('a', [[4, 1]], 6))).toThrow('a-0: fetched 4 after 5')
  })
})

describe('PartitionGroup', () => {
  const pair = (): [RecordQueue, RecordQueue, PartitionGroup] => {
    const [a, b] = [new RecordQueue('a', 0, 0n), new RecordQueue('b', 0, 0n)]
    return [a, b, new PartitionGroup([a, b], 100)]
  }

  test('the lowest head timestamp is next; ties go to the first input', () => {
    const [a, b, group] = pair()
    a.enqueue(
      batch(
        'a',
        [
          [0, 10],
          [1, 30],
        ],
        2,
      ),
    )
    b.enqueue(
      batch(
        'b',
        [
          [0, 10],
          [1, 20],
        ],
        2,
      ),
    )
    const picked: string[] = []
    for (let queue = group.next(0); queue !== undefined; queue = group.next(0)) {
      picked.push(`${queue.topic}${queue.peek()!.timestampMs}`)
      queue.pop()
    }
    expect(picked).toEqual(['a10', 'b10', 'b20', 'a30'])
  })

  test('an empty input is waited for while records are known at the broker, not for ever', () => {
    const [a, b, group] = pair()
    a.enqueue(batch('a', [[0, 10]], 1))
    b.enqueue(batch('b', [], 0, 5)) // five offsets below the last stable one, none fetched
    expect(group.next(1_000)).toBeUndefined()
    expect(group.idleUntilMs).toBe(1_100)
    expect(group.next(1_099)).toBeUndefined()
    expect(group.next(1_100)).toBe(a)
  })

  test('an input that is known to be empty holds nothing back', () => {
    const [a, b, group] = pair()
    a.enqueue(batch('a', [[0, 10]], 1))
    expect(group.next(0)).toBeUndefined() // nothing is known of b yet
    b.enqueue(batch('b', [], 0, 0))
    expect(group.next(0)).toBe(a)
  })
})

describe('InputProgress', () => {
  test('caught up to the time of the fetch whose watermark was reached', () => {
    const progress = new InputProgress()
    expect(progress.caughtUpToMs(0n)).toBe(-Infinity)
    progress.observe(100, 10n)
    expect(progress.caughtUpToMs(9n)).toBe(-Infinity)
    expect(progress.caughtUpToMs(10n)).toBe(100)
  })

  test('a watermark that always runs ahead still proves something', () => {
    const progress = new InputProgress()
    const proven: number[] = []
    for (let second = 1; second <= 5; second++) {
      progress.observe(second * 1_000, BigInt(second * 10)) // ten records a second
      proven.push(progress.caughtUpToMs(BigInt(second * 10 - 5))) // half a second behind
    }
    expect(proven).toEqual([-Infinity, 1_000, 2_000, 3_000, 4_000])
  })
})
