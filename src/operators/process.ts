import type { OperatorFunction } from 'rxjs'
import { TopologyError } from '../errors/classes.ts'
import { noHeaders, StreamRecord } from '../record.ts'
import type { Store } from '../stores/store.ts'
import type { HotStream } from '../topology/hot-stream.ts'
import { NodeInput } from '../topology/node-input.ts'
import type { PunctuationTime, Punctuator } from '../topology/punctuator.ts'
import { currentScope, type Scope } from '../topology/scope.ts'

export type NamedStores = Readonly<Record<string, Store>>

/** The opened faces of the stores a processor declares, under the same names. */
export type Opened<S extends NamedStores> = {
  readonly [Name in keyof S]: S[Name] extends Store<infer Face> ? Face : never
}

/** Where and when a processor runs; valid for as long as its task. */
export interface ProcessContext {
  /**
   * Wall-clock time in ms.
   *
   * A record that is processed again sees another time: what must stay the same belongs into the
   * record.
   */
  nowMs(): number
  /**
   * Highest wall-clock time the task has seen, in earlier lives too; -Infinity before.
   *
   * Above `nowMs()` the clock was set back: times stored meanwhile may lie that far ahead, and
   * whoever waits for them must set them anew.
   */
  latestNowMs(): number
  /** Highest timestamp of the task's inputs so far, in ms; -Infinity before the first record. */
  streamTimeMs(): number
  /**
   * Wall-clock time up to which every input of the task was seen and processed; -Infinity before.
   *
   * A deadline of the business has passed only when this is past it: until then its answer may be
   * waiting in the queue.
   */
  caughtUpToMs(): number
  readonly taskId: string
  readonly partition: number
}

export interface Processor<K, V, S extends NamedStores, W> {
  /** Returns or yields output values; they keep key, timestamp and headers of the record. */
  onRecord(record: StreamRecord<K, V>, stores: Opened<S>, context: ProcessContext): Iterable<W>
  /**
   * Keys that `onRecord` will read for this record, by store; pure, and only a hint.
   *
   * They are read from the engine for many records in one call, at a third of the cost. Asked only
   * where the node follows its sources directly, or through `merge` and `peek`.
   */
  prefetchKeys?(record: StreamRecord<K, V>): PrefetchKeys<S>
  readonly punctuators?: Readonly<Record<string, ProcessorPunctuator<K, S, W>>>
}

/** By store name; only stores with keys of their own can be asked ahead. */
export type PrefetchKeys<S extends NamedStores> = {
  readonly [Name in keyof S]?: Opened<S>[Name] extends {
    prefetch(keys: readonly (infer Key)[]): void
  }
    ? readonly Key[]
    : never
}

export interface ProcessorPunctuator<K, S extends NamedStores, W> {
  /** At least 1 ms; a jump of time over several intervals fires once. */
  readonly everyMs: number
  readonly on: PunctuationTime
  /**
   * Fires at fixed points, as Kafka Streams does; default false: one interval after the last.
   *
   * On stream time with the first record, then at the first record past each multiple of `everyMs`;
   * on the wall clock at whole intervals since the task was first opened.
   */
  readonly aligned?: boolean
  /**
   * Returns or yields [key, value], written with the punctuation's time.
   *
   * Keys must be those of this task's partition: take them from a store.
   */
  run(timeMs: number, stores: Opened<S>, context: ProcessContext): Iterable<readonly [K, W]>
}

/**
 * A node in your own words: several stores, several outputs, callbacks on time.
 *
 * Outputs are returned, not forwarded: a `forward` function could be kept and called when no
 * record is in flight; a returned iterable cannot. A generator keeps store writes and outputs in
 * the order you wrote them; an array is 5 times cheaper.
 *
 * @param name       of the node; unique and stable, since durable punctuation schedules carry it
 * @param stores     by the name the processor knows them; nodes may share a store
 * @param processor  its functions run synchronously; a throw undoes all the record or punctuation
 *                   did
 * @returns          what the processor yields
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID for an interval below 1 ms
 * @example          orders$.pipe(process('reminders', { pending }, { onRecord, punctuators }))
 */
export const process = <K, V, const S extends NamedStores, W>(
  name: string,
  stores: S,
  processor: Processor<K, V, S, W>,
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, W>> => {
  const scope = currentScope('process')
  return (source) => {
    const used = [...new Set(Object.values(stores))]
    const out = scope.node<StreamRecord<K, W>>({ kind: 'process', name, stores: used })
    const opened = Object.fromEntries(
      Object.entries(stores).map(([key, store]) => [key, scope.open(out.node, store)]),
    ) as Opened<S>
    const context = contextOf(scope)
    out.listen(source, (record) => {
      for (const value of processor.onRecord(record, opened, context)) {
        out.emit(record.withValue(value))
      }
    })
    if (processor.prefetchKeys !== undefined) prefetch(out, processor, opened)
    for (const [label, punctuator] of Object.entries(processor.punctuators ?? {})) {
      const { everyMs, on, aligned = false } = punctuator
      schedule(out, { name: `${name}.${label}`, everyMs, on, aligned }, (timeMs) => {
        for (const [key, value] of punctuator.run(timeMs, opened, context)) {
          out.emit(new StreamRecord(key, value, timeMs, noHeaders))
        }
      })
    }
    return out
  }
}

/** Collects the keys of all records first: one read per store. */
const prefetch = <K, V, S extends NamedStores, W>(
  { node, scope }: HotStream<unknown>,
  processor: Processor<K, V, S, W>,
  opened: Opened<S>,
): void => {
  const names = Object.keys(opened) as readonly (keyof S)[]
  const run = (records: readonly StreamRecord<unknown, unknown>[]): void => {
    const wanted = names.map((): unknown[] => [])
    for (const record of records as readonly StreamRecord<K, V>[]) {
      const keysOf = processor.prefetchKeys!(record)
      for (let i = 0; i < names.length; i++) {
        const keys: readonly unknown[] | undefined = keysOf[names[i]!]
        if (keys !== undefined) for (const key of keys) wanted[i]!.push(key)
      }
    }
    for (let i = 0; i < names.length; i++) {
      if (wanted[i]!.length > 0) (opened[names[i]!] as Prefetching).prefetch(wanted[i]!)
    }
  }
  scope.addPrefetch({ node, reads: 'record', run })
}

interface Prefetching {
  prefetch(keys: readonly unknown[]): void
}

const schedule = (
  out: HotStream<unknown>,
  rhythm: Omit<Punctuator, 'node' | 'input'>,
  run: (timeMs: number) => void,
): void => {
  const { name, everyMs } = rhythm
  if (!(everyMs >= 1)) {
    throw new TopologyError(
      'STREAMS_TOPOLOGY_INVALID',
      `punctuator ${name}: everyMs is ${everyMs}` + ', it must be at least 1',
    )
  }
  const { node, scope } = out
  scope.addPunctuator({ ...rhythm, node, input: new NodeInput<number>(out, run) })
}

const contextOf = (scope: Scope): ProcessContext => ({
  nowMs: () => scope.nowMs(),
  latestNowMs: () => scope.latestNowMs(),
  streamTimeMs: () => scope.streamTimeMs(),
  caughtUpToMs: () => scope.caughtUpToMs(),
  taskId: scope.taskId,
  partition: scope.partition,
})
