/** What a topology gives the metamorphic tests: its topics, and what may not be asked of it. */

import {
  json,
  nullable,
  type Observable,
  type Serde,
  type StreamRecord,
  topic,
  type Topic,
  type Topology,
  utf8,
  windowed,
  type Windowed,
} from '../../src/index.ts'

export type Value = number | undefined
export type Values = Observable<StreamRecord<string, number>>

export interface Family {
  readonly topology: Topology
  readonly inputs: readonly Topic<string, number>[]
  readonly outputs: readonly Topic<unknown, unknown>[]
  /**
   * What is emitted when time passes comes with whichever record moves the stream time of its
   * partition: between other outputs of the key, in an order that the partitions decide.
   */
  readonly emitsOnTime?: boolean
  /** Its results depend on what else lies in the partition, by count or by how far time is. */
  readonly dependsOnPartition?: boolean
  /** Punctuates on the wall clock, which stands still in one world and runs in another. */
  readonly usesWallClock?: boolean
  /** Results come after a hop or two through internal topics: only where they end is the same. */
  readonly hops?: boolean
}

/** How much time means. */
export interface Times {
  /** Small: records are late. Beyond all timestamps: none is, and nothing is forgotten. */
  readonly graceMs: number
  /** Of `onClose`, on the wall clock. */
  readonly emitIntervalMs: number
  /** Keeps windows longer than they are open: what was emitted must be remembered. */
  readonly retentionMs?: number
}

const values = nullable(json<number>())

/** Nulls come through as `undefined`, which all functions here take; tables delete by them. */
const numbers = { key: utf8, value: values as Serde<number> }

export const left = topic('left', numbers)
export const right = topic('right', numbers)
export const out = topic('out', { key: utf8, value: values })
export const windowOut = topic<Windowed<string>, Value>('window-out', {
  key: windowed(utf8),
  value: values,
})

export const counts = { key: utf8, value: json<number>() }
export const windowCounts = { key: windowed(utf8), value: json<number>() }

export const add = (sum: number, value: Value): number => sum + (value ?? 0)
export const zero = (): number => 0
/** Tells the sides apart, and a partner from none. */
export const both = (a: Value, b: Value): number => 1_000 * (a ?? -1) + (b ?? -1)

export const anyOutputs = (...topics: readonly unknown[]): readonly Topic<unknown, unknown>[] =>
  topics as readonly Topic<unknown, unknown>[]
