/**
 * The records of a task that failed for good, on their way to the dead-letter topic.
 *
 * Kept by `StreamTask`. 1. A dead letter is staged in a record scope of its own, and so leaves in
 * the transaction that carries the offset behind its record. 2. It counts when that is committed:
 * the generation carries how many there were.
 */

import { type RawRecord } from '../broker/port.ts'
import { type RecordError } from '../errors/classes.ts'
import { deadLetterHeaders } from '../errors/dead-letter.ts'
import { type Logger } from '../logger.ts'
import { timestampMsMax } from '../record.ts'
import { type RecordScope } from './record-scope.ts'
import { type TaskSink } from './task-io.ts'

export interface DeadLettersOptions {
  readonly sink: TaskSink
  readonly records: RecordScope
  readonly taskId: string
  /** Of the task; dead letters of one partition stay together. */
  readonly partition: number
  readonly applicationId: string
  readonly applicationVersion: string
  readonly logger: Logger
}

export class DeadLetters {
  readonly #options: DeadLettersOptions
  #count = 0

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /** No record scope may be open. */
  stage(error: RecordError, raw: RawRecord, attempts: number): void {
    const { sink, records, applicationId, applicationVersion, logger, taskId } = this.#options
    const { key, value, timestampMs } = raw
    const facts = { attempts, applicationId, applicationVersion }
    const headers = deadLetterHeaders(raw.headers, error, facts)
    const { topic, maxMessageBytes } = sink
    const partition = this.#options.partition % sink.partitions
    const output = { topic, partition, maxMessageBytes, key, value, headers }
    records.stage({ ...output, timestampMs: writable(timestampMs) }, -1, -1)
    records.keep()
    this.#count += 1
    logger.warn(
      { code: error.code, task: taskId, node: error.node, reason: error.message },
      'record goes to the dead letters with the next commit',
    )
  }

  /** How many were staged since this was last asked. */
  takeCount(): number {
    const count = this.#count
    this.#count = 0
    return count
  }
}

/** The nearest time that can be written: an absurd one may be why the record is here. */
const writable = (timestampMs: number): number =>
  Math.min(timestampMsMax, Math.max(0, Math.trunc(timestampMs)))
