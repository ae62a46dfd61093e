/**
 * Notices that two instances use one transactional id, and fence each other for ever.
 *
 * Called by the stream loop. One fence is no fault: a restarted instance fences what it was before.
 * But whoever is fenced initialises again, and so fences the other: more than three a minute are a
 * duel. 1. A fence after the time-out of the transaction does not count: there the broker fenced a
 * slow owner, not another one. 2. Both sides count, so one of them stops first, and the other goes
 * on alone. 3. Static members are told by the broker: the one that joined last stays.
 */

import { BrokerError } from '../broker/errors.ts'
import type { Clock } from '../clock.ts'
import { RuntimeError } from '../errors/classes.ts'

const fencesMax = 3
const withinMs = 60_000

export interface FenceWatchOptions {
  readonly clock: Clock
  readonly instanceId: string
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
}

export class FenceWatch {
  readonly #options: FenceWatchOptions
  readonly #fencedAtMs: number[] = []
  #begunAtMs = -Infinity

  constructor(options: FenceWatchOptions) {
    this.#options = options
  }

  /** A transaction begins. */
  begun(): void {
    this.#begunAtMs = this.#options.clock.monotonicMs()
  }

  /** @returns what to stop with: this fence was one too many */
  judge(error: unknown): RuntimeError | undefined {
    if (!(error instanceof BrokerError)) return undefined
    if (error.code === 'BROKER_INSTANCE_FENCED') return this.#replaced(error)
    if (error.code !== 'BROKER_PRODUCER_FENCED') return undefined
    const { clock, instanceId, transactionalId, transactionTimeoutMs } = this.#options
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#begunAtMs >= transactionTimeoutMs) return undefined
    while (this.#fencedAtMs.length > 0 && nowMs - this.#fencedAtMs[0]! >= withinMs) {
      this.#fencedAtMs.shift()
    }
    this.#fencedAtMs.push(nowMs)
    if (this.#fencedAtMs.length <= fencesMax) return undefined
    return new RuntimeError(
      'STREAMS_INSTANCE_ID_IN_USE',
      `another instance has the id ${instanceId}: give each its own. It fenced this one `
        + `${this.#fencedAtMs.length} times within a minute (transactional id ${transactionalId}); `
        + 'on the command line the id is in <state-dir>/instance-id, which must not be copied',
      error,
    )
  }

  #replaced(error: BrokerError): RuntimeError {
    const { instanceId } = this.#options
    return new RuntimeError(
      'STREAMS_INSTANCE_ID_IN_USE',
      `another process joined the group under the instance id ${instanceId} and has the place of `
        + 'this one: give each replica its own (--instance-id)',
      error,
    )
  }
}
