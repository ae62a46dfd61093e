/**
 * What becomes of a record that failed, and of a punctuation that did.
 *
 * Owned by the task, which asks before each record whether it may go on. 1. Each failure is named
 * by the node and the position it is blamed on. 2. A record that is to be tried again stays at the
 * head of its queue, and nothing of the task is processed until its time has come. 3. Whether it
 * fails the task, is skipped, tried again or a dead letter is the `FailurePolicy`'s judgement.
 */

import type { RawRecord } from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import { RecordError, RuntimeError } from '../errors/classes.ts'
import type { RecordErrorCode } from '../errors/codes.ts'
import type { Logger } from '../logger.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { FailurePolicy } from './failure-policy.ts'
import type { Origin } from './record-origin.ts'
import type { TaskCounters } from './task-counters.ts'

export interface TaskFailuresOptions {
  readonly id: string
  readonly policy: FailurePolicy
  readonly deadLetters: DeadLetters
  /** `topic-partition@offset` of inputs whose outputs the broker refused. */
  readonly refusedInputs: ReadonlyMap<string, Error>
  readonly clock: Clock
  readonly counters: TaskCounters
  readonly logger: Logger
}

export class TaskFailures {
  readonly #options: TaskFailuresOptions
  /** On the monotonic clock, as are all waits: the wall clock may be set back meanwhile. */
  #retryAtMs: number | undefined

  constructor(options: TaskFailuresOptions) {
    this.#options = options
  }

  /** True while the record at the head waits to be tried again. */
  isBackingOff(): boolean {
    if (this.#retryAtMs === undefined) return false
    if (this.#options.clock.monotonicMs() < this.#retryAtMs) return true
    this.#retryAtMs = undefined
    return false
  }

  /** Until the record at the head may be tried again, in ms; Infinity if none waits. */
  get retryInMs(): number {
    const waitMs = (this.#retryAtMs ?? 0) - this.#options.clock.monotonicMs()
    return this.#retryAtMs !== undefined && waitMs > 0 ? waitMs : Infinity
  }

  /** The failure of the input at the head whose outputs the broker refused the last time. */
  refusalOf(origin: Origin): RecordError | undefined {
    const { topic, partition, offset } = origin.position()
    const refusal = this.#options.refusedInputs.get(`${topic}-${partition}@${offset}`)
    return refusal && this.error('STREAMS_PRODUCTION', origin, refusal)
  }

  error(
    code: RecordErrorCode,
    { node, position }: Pick<Origin, 'node' | 'position'>,
    cause: unknown,
  ): RecordError {
    return new RecordError(code, { taskId: this.#options.id, node, position: position() }, cause)
  }

  /**
   * Carries out what is judged of a record that failed and was undone. No record scope is open.
   *
   * @returns false if the record stays at the head, to be tried again
   * @throws {RuntimeError} STREAMS_HANDLER_FAILED: close the task dirty
   */
  settle(error: RecordError, raw: RawRecord): boolean {
    const { policy, deadLetters, clock, counters, logger } = this.#options
    const verdict = policy.judge(error)
    switch (verdict.kind) {
      case 'fail':
        throw new RuntimeError(
          'STREAMS_HANDLER_FAILED',
          `${error.message}; the handler for `
            + `${error.code} is set to fail: mend the cause, or choose deadLetter`,
          error,
        )
      case 'retry':
        counters.retries += 1
        this.#retryAtMs = clock.monotonicMs() + verdict.backoffMs
        return false
      case 'skip':
        counters.skipped += 1
        logger.warn({ err: error }, 'record skipped')
        return true
      case 'deadLetter':
        deadLetters.stage(error, raw, verdict)
        return true
    }
  }

  /** A punctuation that fails is undone, counted, logged, and due again after its interval. */
  punctuationFailed(error: RecordError): void {
    const { counters, logger } = this.#options
    counters.punctuationFailures += 1
    logger.error({ err: error }, 'punctuation failed; it will be tried again')
  }
}
