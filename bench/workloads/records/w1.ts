/**
 * W1's records: index and time in an opaque value, forwarded once, in order, unchanged.
 *
 * 1. Record i is due at `dueMsOf(i)`, ms since 1970, which its value carries. 2. Records are sent
 * in the order of their index, so that of each partition it must come out in that order.
 */

import { partitionOf } from '../../../src/broker/partitioner.ts'
import type { RawRecord } from '../../../src/broker/port.ts'
import type { InputRecord, WorkloadData } from '../../load/workload-data.ts'

const valueChars = 100

export class W1Data implements WorkloadData {
  readonly name = 'w1'
  readonly inputCount = 1
  readonly outputCount = 1
  readonly records: number
  readonly #partitions: number
  readonly #dueMsOf: (index: number) => number
  /** Of each partition the index seen last. */
  readonly #last: number[]
  #made = 0
  #seen = 0

  constructor(records: number, partitions: number, dueMsOf: (index: number) => number) {
    this.records = records
    this.#partitions = partitions
    this.#dueMsOf = dueMsOf
    this.#last = Array.from({ length: partitions }, () => -1)
  }

  *inputs(): Iterable<InputRecord> {
    for (let index = 0; index < this.records; index++) yield this.next()
  }

  /** The next record: they are made in the order of their index. */
  next(): InputRecord {
    const index = this.#made++
    const timestampMs = Math.floor(this.#dueMsOf(index))
    return { input: 0, key: keyOf(index), value: this.#valueOf(index), timestampMs }
  }

  see(_output: number, partition: number, record: RawRecord): void {
    this.answered(partition, record)
  }

  /** @returns the index of the input that it answers. @throws {Error} as `see` */
  answered(partition: number, { key, value }: RawRecord): number {
    const index = Number(Buffer.from(key!).toString('latin1'))
    const last = this.#last[partition]!
    // a record more or less, or out of order, breaks the chain of indexes of its partition
    const expected = this.#following(last, partition)
    if (index !== expected) {
      throw new Error(`w1: partition ${partition} has ${index} after ${last}, not ${expected}`)
    }
    if (value === null || this.#valueOf(index).compare(value) !== 0) {
      throw new Error(`w1: the value of record ${index} changed`)
    }
    this.#last[partition] = index
    this.#seen += 1
    return index
  }

  missing(): string {
    return this.#seen === this.#made ? '' : `w1: ${this.#made - this.#seen} of ${this.#made} lost`
  }

  #following(last: number, partition: number): number {
    let index = last + 1
    while (index < this.#made && partitionOf(keyOf(index), this.#partitions) !== partition) index++
    return index < this.#made ? index : -1
  }

  #valueOf(index: number): Buffer {
    return Buffer.from(`${index} ${this.#dueMsOf(index).toFixed(3)} `.padEnd(valueChars, '.'))
  }
}

const keyOf = (index: number): Buffer => Buffer.from(String(index).padStart(16, '0'))
