/**
 * What goes into a workload of the peer benchmark, and whether what came out is right.
 *
 * One instance is one run: it makes the inputs, and recomputes from them what must come out.
 * Formats are those of the workload in `bench/workloads`. Nothing here knows of brokers.
 */

import type { RawRecord } from '../../src/broker/port.ts'

export interface InputRecord {
  /** Which of the workload's inputs. */
  readonly input: number
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly timestampMs: number
  /** Absent: as the key says. */
  readonly partition?: number
}

export interface WorkloadData {
  readonly name: string
  readonly inputCount: number
  readonly outputCount: number
  /** Input records that are worth counting: of all inputs, without ticks. */
  readonly records: number
  /** In the order of event time. Once per run. */
  inputs(): Iterable<InputRecord>
  /**
   * Looks at a committed record of an output, in the order of its partition.
   *
   * @throws {Error} what no right run would have written
   */
  see(output: number, partition: number, record: RawRecord): void
  /** What is still to come, for people; empty when all is there. */
  missing(): string
}
