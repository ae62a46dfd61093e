/**
 * The records of a task that failed for good, on their way to the dead-letter topic.
 *
 * Kept by `StreamTask`. 1. A dead letter is staged in a record scope of its own, and so leaves in
 * the transaction that carries the offset behind its record. 2. It counts when that is committed:
 * the generation carries how many there were, by topic and class. 3. Its time is that of the
 * failure: with the record's own, retention would delete letters of old records unread.
 */

import type { RawRecord } from '../broker/port.ts'
import type { RecordError } from '../errors/classes.ts'
import { deadLetterHeaders } from '../errors/dead-letter.ts'
import type { Logger } from '../logger.ts'
import { DeadLetterTally } from './dead-letter-tally.ts'
import type { Verdict } from './failure-policy.ts'
import type { RecordScope } from './record-scope.ts'
import type { TaskSink } from './task-io.ts'

export interface DeadLettersOptions {
  readonly sink: TaskSink
  readonly records: RecordScope
  readonly taskId: string
  /** Of the task; dead letters of one partition stay together. */
  readonly partition: number
  readonly applicationId: string
  readonly applicationVersion: string
  readonly nowMs: () => number
  readonly logger: Logger
}

type DeadLetterVerdict = Extract<Verdict, { readonly kind: 'deadLetter' }>

export class DeadLetters {
  readonly #options: DeadLettersOptions
  #tally = new DeadLetterTally()

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /** No record scope may be open. */
  stage(error: RecordError, raw: RawRecord, verdict: DeadLetterVerdict): void {
    const { sink, records, applicationId, applicationVersion, logger, taskId } = this.#options
    const { key, value, timestampMs } = raw
    const { attempts, failureClass } = verdict
    const facts = { attempts, failureClass, timestampMs, applicationId, applicationVersion }
    const headers = deadLetterHeaders(raw.headers, error, facts)
    const { topic, maxMessageBytes } = sink
    const partition = this.#options.partition % sink.partitions
    const output = { topic, partition, maxMessageBytes, key, value, headers }
    records.stage({ ...output, timestampMs: this.#options.nowMs() }, -1, -1)
    records.keep()
    this.#tally.add(error.position.topic, failureClass)
    logger.warn(
      {
        code: error.code,
        class: failureClass,
        task: taskId,
        node: error.node,
        reason: error.message,
      },
      'record goes to the dead letters with the next commit',
    )
  }

  /** Those that were staged since this was last asked. */
  takeTally(): DeadLetterTally {
    const tally = this.#tally
    this.#tally = new DeadLetterTally()
    return tally
  }
}
