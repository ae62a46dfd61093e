/** Goal: the figures of the live lines make sense whatever the shop's counts do. */

import { PassThrough } from 'node:stream'
import type { WriteStream } from 'node:tty'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LiveView, type LiveViewOptions } from '../../src/cli/live-view.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const metrics = (recordsProcessed: number) =>
  ({
    counters: { recordsProcessed, deadLetters: 0 },
    lagRecords: 0,
    commits: 0,
    commitAverageMs: 0,
    openEffects: 0,
  }) as unknown as ReturnType<LiveViewOptions['metrics']>

test('a rate is never negative: a rebalance takes partitions and their counts away', async () => {
  const stream = new PassThrough()
  let count = 1_000
  const view = new LiveView({
    stream: stream as unknown as WriteStream,
    title: 'title',
    status: async () => ({ isReady: true, lagRecords: 0, orders: (count -= 400), statuses: {} }),
    metrics: () => metrics(count),
  })
  view.start()
  await vi.advanceTimersByTimeAsync(7_000)
  view.stop()
  const lines = String(stream.read()).trimEnd().split('\n')
  expect(lines).toHaveLength(3)
  expect(lines[2]).toContain('orders 200 (0/s)')
  expect(lines[2]).toContain('records 200 (0/s)')
})

test('a plain line comes when it tells something new only', async () => {
  const stream = new PassThrough()
  let [orders, averageMs] = [10, 5]
  const view = new LiveView({
    stream: stream as unknown as WriteStream,
    title: 'title',
    status: async () => ({ isReady: true, lagRecords: 0, orders, statuses: {} }),
    metrics: () => ({ ...metrics(orders), commitAverageMs: (averageMs -= 0.1) }),
  })
  const linesIn = async (ms: number): Promise<readonly string[]> => {
    await vi.advanceTimersByTimeAsync(ms)
    return String(stream.read() ?? '')
      .split('\n')
      .slice(0, -1)
  }
  view.start()
  expect(await linesIn(4_000)).toEqual(['title', expect.stringContaining('orders 10 (–/s)')])
  expect(await linesIn(60_000)).toEqual([])
  orders = 11
  expect(await linesIn(60_000)).toEqual([expect.stringContaining('orders 11 (0/s)')])
  view.stop()
})
