/** What the checks of all workloads ask of an output record, whatever its value says. */

import { partitionOf } from '../../../src/broker/partitioner.ts'
import type { RawRecord } from '../../../src/broker/port.ts'

/** The value, which is JSON. */
export const answerOf = <Answer>({ value }: RawRecord): Answer =>
  JSON.parse(Buffer.from(value!).toString()) as Answer

/** Of a workload's outputs, all with so many partitions. */
export class AnswerPlaces {
  readonly #workload: string
  readonly #partitions: number

  constructor(workload: string, partitions: number) {
    this.#workload = workload
    this.#partitions = partitions
  }

  /** @throws {Error} the record has another key, or is not in that key's partition */
  check(wantedKey: string, partition: number, { key }: RawRecord): void {
    const isHere = partitionOf(key!, this.#partitions) === partition
    if (Buffer.from(key!).toString() === wantedKey && isHere) return
    const found = `has another key, or is in partition ${partition}`
    throw new Error(`${this.#workload}: an answer of ${wantedKey} ${found}`)
  }
}
