/**
 * Replays recorded cases of Kafka Streams through a topology of ours and compares all that is seen.
 *
 * Called by the command (`run.ts`) and by the test. 1. Of each step the outputs of all topics are
 * compared in their order: topic, key, value and timestamp; null is null. 2. At the end the rows
 * of the recorded stores are, and no record may have become a dead letter. 3. A case ends at its
 * first difference.
 */

import { TopologyDriver } from '../../src/testing/index.ts'
import { type Built, type Family, valueOf } from './family.ts'
import { type Key, readCases, type Step, type StoreRow, type VectorCase } from './vector-case.ts'

/** Where the mock wall clock of the recording stands at the start. */
const wallClockStartMs = 10_000

export interface Difference {
  readonly seed: number
  readonly params: VectorCase['params']
  /** Index of the step; the name of a store at the end. */
  readonly at: number | string
  readonly input: unknown
  readonly expected: unknown
  readonly got: unknown
}

export interface ReplayResult {
  readonly topology: string
  readonly cases: number
  readonly passed: number
  /** False where no topology of ours stands for the recorded one yet. */
  readonly isImplemented: boolean
  readonly differences: readonly Difference[]
}

/** What may happen between two steps, and must not be seen. */
export type Interruption = 'none' | 'rebuild' | 'restart'

export interface ReplayOptions {
  readonly directory?: string
  /** `rebuild`: a new pipeline before each record; `restart`: all from committed state. */
  readonly interruption?: Interruption
}

/** Replays every case of one recorded topology. */
export const replay = (
  topology: string,
  families: Family,
  { directory, interruption = 'none' }: ReplayOptions = {},
): ReplayResult => {
  const cases = readCases(topology, directory)
  const build = families[topology]
  if (build === undefined) {
    return { topology, cases: cases.length, passed: 0, isImplemented: false, differences: [] }
  }
  const differences = cases.flatMap((recorded) =>
    replayCase(recorded, build(recorded.params), interruption),
  )
  const passed = cases.length - differences.length
  return { topology, cases: cases.length, passed, isImplemented: true, differences }
}

/** @returns the first difference, or nothing */
export const replayCase = (
  recorded: VectorCase,
  built: Built,
  interruption: Interruption = 'none',
): readonly Difference[] => {
  const driver = new TopologyDriver(built.topology, {
    startMs: wallClockStartMs,
    rebuildBeforeEachRecord: interruption === 'rebuild',
    config: { maxFutureSkewMs: 8_640_000_000_000 },
  })
  const { seed, params, steps } = recorded
  for (const [at, step] of steps.entries()) {
    if (interruption === 'restart') driver.restart()
    drive(driver, step)
    const got = outputsOf(driver, built)
    if (JSON.stringify(got) === JSON.stringify(step.out.map(ordered))) continue
    const { out: expected, ...input } = step
    return [{ seed, params, at, input, expected, got }]
  }
  const dead = driver.deadLetters()
  if (dead.length > 0) {
    return [{ seed, params, at: 'dead letters', input: null, expected: [], got: dead[0] }]
  }
  return differentStores(driver, recorded, built)
}

const drive = (driver: TopologyDriver, step: Step): void => {
  if ('advanceWallClockMs' in step) {
    driver.jumpWallClock(step.advanceWallClockMs)
    return
  }
  const { topic, key, value, ts } = step.in
  driver.pipeBytes({ name: topic }, bytesOf(key), bytesOf(value), { timestampMs: ts })
}

const outputsOf = (driver: TopologyDriver, { outputs }: Built): readonly unknown[] =>
  driver.readAll(outputs.map(({ topic }) => topic)).map(({ topic, record }) => {
    const { keyOf } = outputs.find((output) => output.topic === topic)!
    const key = keyOf(record.key)
    return { topic: topic.name, key, value: valueOf(record), ts: record.timestampMs }
  })

const differentStores = (
  driver: TopologyDriver,
  { seed, params, stores }: VectorCase,
  built: Built,
): readonly Difference[] => {
  for (const [at, expected] of Object.entries(stores)) {
    const rowsOf = built.stores?.[at]
    const got = rowsOf === undefined ? 'store is missing' : rowsOf(driver).toSorted(byKeyThenStart)
    if (JSON.stringify(got) === JSON.stringify(expected)) continue
    return [{ seed, params, at, input: null, expected, got }]
  }
  return []
}

/** UTF-16 order of the key, then start and end of the window, as recorded. */
const byKeyThenStart = ([a]: StoreRow, [b]: StoreRow): number => {
  const [keyA, keyB] = [textOf(a), textOf(b)]
  if (keyA !== keyB) return keyA < keyB ? -1 : 1
  if (a === null || b === null || typeof a === 'string' || typeof b === 'string') return 0
  return a.start - b.start || a.end - b.end
}

const textOf = (key: Key): string => (typeof key === 'string' ? key : (key?.key ?? ''))

/** Fields in one order, so that texts can be compared. */
const ordered = ({ topic, key, value, ts }: Step['out'][number]): unknown => ({
  topic,
  key: key === null || typeof key === 'string' ? key : windowOf(key),
  value,
  ts,
})

const windowOf = ({ key, start, end }: Exclude<Key, string | null>): unknown => ({
  key,
  start,
  end,
})

const bytesOf = (text: string | null): Uint8Array | null =>
  text === null ? null : Buffer.from(text, 'utf8')
