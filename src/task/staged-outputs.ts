/**
 * The outputs of one task since its last seal: packed per partition, with the order of all of them
 * and the input behind each.
 *
 * Owned by the record scope. 1. `keep` and `undo` end a record: what it staged stays, or is gone
 * without a trace. 2. `OutputOrder` keeps what names the input should the broker refuse an
 * output. 3. `successor` begins the next generation with
 * buffers as large as this one needed.
 */

import type { ProduceRecord } from '../broker/port.ts'
import { type PackedContent, PackedRecords } from '../broker/records/packed-records.ts'
import type { RecordView } from '../broker/records/record-view.ts'
import type { Headers } from '../record.ts'
import { OutputOrder } from './output-order.ts'

export interface OutputPlace {
  readonly topic: string
  readonly partition: number
  /** Of its topic. */
  readonly maxMessageBytes: number
}

/** An encoded output, addressed. */
export interface EncodedOutput extends OutputPlace {
  readonly timestampMs: number
  readonly key: PackedContent
  readonly value: PackedContent
  readonly headers: Headers
}

/** The input record an output was made from; `input` is its index among those of the task. */
export interface OutputCause {
  readonly input: number
  readonly offset: number
}

export interface StagedPartition {
  readonly topic: string
  readonly partition: number
  readonly records: PackedRecords
}

export interface StagedOutput extends ProduceRecord {
  readonly topic: string
  readonly partition: number
}

interface OpenPartition extends StagedPartition {
  readonly index: number
  isTouched: boolean
}

/** Of one produced batch; a topic may allow more. */
const segmentBytesMax = 1_000_000
const expectedBytesFirst = 4_096

export class StagedOutputs {
  readonly #partitions: OpenPartition[] = []
  readonly #byTopic = new Map<string, (OpenPartition | undefined)[]>()
  readonly #expectedBytes: ReadonlyMap<string, readonly (number | undefined)[]>
  /** Filled up to `#touchedCount`: `length = 0` would free and allocate it anew per record. */
  readonly #touched: OpenPartition[] = []
  #touchedCount = 0
  readonly #order = new OutputOrder()
  #kept = 0

  constructor(expectedBytes: ReadonlyMap<string, readonly (number | undefined)[]> = new Map()) {
    this.#expectedBytes = expectedBytes
  }

  /** Of all records, also of the one in flight. */
  get count(): number {
    return this.#order.count
  }

  get partitions(): readonly StagedPartition[] {
    return this.#partitions.filter(({ records }) => records.recordCount > 0)
  }

  /** @param input  −1 if no single input made it: then the offset means nothing */
  stage(output: EncodedOutput, input: number, offset: number): void {
    const partition = this.#touch(output)
    partition.records.append(output.timestampMs, output.key, output.value, output.headers)
    this.#order.push(partition.index, input, offset)
  }

  /** As `stage`, of a record whose key and value are copied as they are. */
  stageCopy(to: OutputPlace, record: RecordView, input: number, offset: number): void {
    const partition = this.#touch(to)
    partition.records.appendCopy(record.timestampMs, record, record.headers)
    this.#order.push(partition.index, input, offset)
  }

  #touch(to: OutputPlace): OpenPartition {
    const partition = this.#byTopic.get(to.topic)?.[to.partition] ?? this.#open(to)
    if (!partition.isTouched) {
      partition.isTouched = true
      this.#touched[this.#touchedCount++] = partition
      partition.records.mark()
    }
    return partition
  }

  keep(): void {
    this.#kept = this.#order.count
    for (let i = 0; i < this.#touchedCount; i++) this.#touched[i]!.isTouched = false
    this.#touchedCount = 0
  }

  undo(): void {
    for (let i = 0; i < this.#touchedCount; i++) {
      const partition = this.#touched[i]!
      partition.records.rewind()
      partition.isTouched = false
    }
    this.#touchedCount = 0
    this.#order.truncate(this.#kept)
  }

  /** Every output, as it was staged. */
  *inOrder(): Generator<StagedOutput> {
    const lists = this.#partitions.map(({ records }) => records.records())
    const next = lists.map(() => 0)
    for (let output = 0; output < this.#order.count; output++) {
      const index = this.#order.partitionAt(output)
      const { topic, partition } = this.#partitions[index]!
      const at = next[index]!
      next[index] = at + 1
      const { timestampMs, key, value, headers } = lists[index]![at]!
      yield { topic, partition, timestampMs, key, value, headers }
    }
  }

  /** Of the record at an index of one partition; undefined if no single input made it. */
  causeOf(staged: StagedPartition, recordIndex: number): OutputCause | undefined {
    const partition = this.#partitions.indexOf(staged as OpenPartition)
    let left = recordIndex
    for (let output = 0; output < this.#order.count; output++) {
      if (this.#order.partitionAt(output) !== partition || left-- > 0) continue
      const input = this.#order.inputAt(output)
      return input < 0 ? undefined : { input, offset: this.#order.offsetAt(output) }
    }
    return undefined
  }

  /** Nobody asks for order or causes any more: the memory is used again. */
  release(): void {
    this.#order.release()
  }

  successor(): StagedOutputs {
    const expectedBytes = new Map(
      [...this.#byTopic].map(([topic, partitions]) => [
        topic,
        partitions.map((partition) => partition?.records.sizeBytes),
      ]),
    )
    return new StagedOutputs(expectedBytes)
  }

  #open({ topic, partition, maxMessageBytes }: OutputPlace): OpenPartition {
    let partitions = this.#byTopic.get(topic)
    if (partitions === undefined) this.#byTopic.set(topic, (partitions = []))
    const opened = {
      topic,
      partition,
      index: this.#partitions.length,
      isTouched: false,
      records: new PackedRecords({
        segmentBytesMax: Math.min(segmentBytesMax, maxMessageBytes),
        expectedBytes: this.#expectedBytes.get(topic)?.[partition] ?? expectedBytesFirst,
      }),
    }
    partitions[partition] = opened
    this.#partitions.push(opened)
    return opened
  }
}
