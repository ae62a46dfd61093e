/**
 * A source whose records only go on to topics, unchanged: their bytes are copied, not decoded.
 *
 * Made by the task, used for each record in place of its pipeline. 1. Only where no code of the
 * application sees a record: all that the source feeds are sinks with its own serdes. 2. A record
 * is copied if the serdes are sure that its bytes decode, and are what encoding would give; any
 * other goes the usual way, and fails there if it must. 3. What a sink refuses is blamed on it.
 */

import { RecordView } from '../broker/records/record-view.ts'
import { partitionOfBytes } from '../broker/partitioner.ts'
import type { RawRecord } from '../broker/port.ts'
import type { Serde } from '../serde/serde.ts'
import { type Plan, sourceOf } from '../topology/graph.ts'
import type { OutputPlace } from './staged-outputs.ts'
import { checkSize, checkTime, type TaskSink, type TaskSource } from './task-io.ts'

export interface CopySink {
  readonly node: string
  readonly sink: TaskSink
}

export interface SourceCopyOptions {
  readonly plan: Plan
  readonly source: TaskSource
  /** By logical topic name. */
  readonly sinks: ReadonlyMap<string, TaskSink>
  /** Where records without a key go, modulo the topic's count. */
  readonly taskPartition: number
}

type KeepsBytes = Required<Serde<unknown>>['keepsBytes']

export class SourceCopy {
  readonly sinks: readonly CopySink[]
  readonly #keepsKey: KeepsBytes
  readonly #keepsValue: KeepsBytes
  readonly #taskPartition: number

  private constructor(
    sinks: readonly CopySink[],
    keeps: { readonly key: KeepsBytes; readonly value: KeepsBytes },
    taskPartition: number,
  ) {
    this.sinks = sinks
    this.#keepsKey = keeps.key
    this.#keepsValue = keeps.value
    this.#taskPartition = taskPartition
  }

  /** Undefined if records of the source must be decoded. */
  static of({ plan, source, sinks, taskPartition }: SourceCopyOptions): SourceCopy | undefined {
    const { key, value } = source.serdes
    const keeps = { key: key.keepsBytes, value: value.keepsBytes }
    if (!isComplete(keeps)) return undefined
    const node = sourceOf(plan.nodes, source.logicalName)
    const fed = plan.edges.filter(({ from }) => from === node?.index)
    const found = fed.map(({ to }) => plan.nodes[to]!)
    const isCopied = found.every(
      ({ isBlind, topicHandle }) =>
        isBlind && topicHandle?.key === key && topicHandle.value === value,
    )
    if (!isCopied || found.length === 0) return undefined
    const to = found.map(({ name, topic }) => ({ node: name, sink: sinks.get(topic!)! }))
    return new SourceCopy(to, keeps, taskPartition)
  }

  mayTake(raw: RawRecord): raw is RecordView {
    if (!(raw instanceof RecordView)) return false
    const { buffer, keyStart, keyEnd, valueStart, valueEnd } = raw
    if (valueEnd < valueStart) return false // an error, of a stream
    if (keyEnd >= keyStart && !this.#keepsKey(buffer, keyStart, keyEnd)) return false
    return this.#keepsValue(buffer, valueStart, valueEnd)
  }

  /** @throws {UnwritableRecordError} too large, or a timestamp out of bounds */
  place({ sink }: CopySink, record: RecordView): OutputPlace {
    const { topic, maxMessageBytes, partitions } = sink
    const { buffer, keyStart, keyEnd, valueStart, valueEnd, timestampMs, headers } = record
    checkTime(topic, timestampMs)
    const hasKey = keyEnd >= keyStart
    checkSize(sink, (hasKey ? keyEnd - keyStart : 0) + valueEnd - valueStart, headers)
    const partition = hasKey
      ? partitionOfBytes(buffer, keyStart, keyEnd, partitions)
      : this.#taskPartition % partitions
    return { topic, partition, maxMessageBytes }
  }
}

const isComplete = (keeps: {
  readonly key: KeepsBytes | undefined
  readonly value: KeepsBytes | undefined
}): keeps is { readonly key: KeepsBytes; readonly value: KeepsBytes } =>
  keeps.key !== undefined && keeps.value !== undefined
