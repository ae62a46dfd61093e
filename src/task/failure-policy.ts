/**
 * What becomes of a record that failed: fail, skip, retry later, or the dead letters.
 *
 * Pure but for the count of attempts at the record now at the head. The task carries the answer
 * out. Retries back off `retryBackoffMs`, doubling, at most `retryBackoffMaxMs`; when they are used
 * up the record is a dead letter: it never blocks its partition for ever, and never vanishes. Only
 * a transient failure is retried: another attempt at any other ends the same.
 */

import type { RecordError } from '../errors/classes.ts'
import { type FailureClass, failureClassOf } from '../errors/failure-class.ts'
import type { HandlerAnswer, RuntimeConfig } from '../runtime-config.ts'

export type Verdict =
  | { readonly kind: 'fail' | 'skip' }
  | {
      readonly kind: 'deadLetter'
      readonly attempts: number
      readonly failureClass: FailureClass
    }
  | { readonly kind: 'retry'; readonly backoffMs: number }

export class FailurePolicy {
  readonly #config: RuntimeConfig
  #attempts = 0

  constructor(config: RuntimeConfig) {
    this.#config = config
  }

  judge(error: RecordError): Verdict {
    this.#attempts += 1
    const answer = this.#answerOf(error)
    const attempts = this.#attempts
    const failureClass = failureClassOf(error, this.#config.failureClasses)
    const mayPass = answer === 'retry' && failureClass === 'transient'
    if (mayPass && attempts < this.#config.retryAttemptsMax) {
      const { retryBackoffMs, retryBackoffMaxMs } = this.#config
      return {
        kind: 'retry',
        backoffMs: Math.min(retryBackoffMaxMs, retryBackoffMs * 2 ** (attempts - 1)),
      }
    }
    this.#attempts = 0
    if (answer === 'fail' || answer === 'skip') return { kind: answer }
    return { kind: 'deadLetter', attempts, failureClass }
  }

  /** The record at the head succeeded. */
  passed(): void {
    this.#attempts = 0
  }

  #answerOf({ code }: RecordError): HandlerAnswer {
    if (code === 'STREAMS_PROCESSING') return this.#config.onProcessingError
    if (code === 'STREAMS_PRODUCTION') return this.#config.onProductionError
    return this.#config.onDeserializationError
  }
}
