/**
 * Commits one generation: outputs and changelogs and offsets in one transaction, then the store.
 *
 * ```
 *   send ──► endTransaction ──► apply ──► applied          at most one generation is in here
 *    │            │               │
 *    │            │               └ fails: the rows are committed; retried, else the tasks close
 *    │            │                 dirty and catch up from their changelogs
 *    │            └ unknown: never guessed; the producer is discarded, the tasks reopen
 *    └ fails: aborted; this generation and the one being processed over it are dropped
 * ```
 * Called by the stream loop only. 1. Nothing is sent between the call of `endTransaction` and its
 * answer. 2. The store is written after the transaction ended, never before. 3. Every transaction
 * carries the offsets of each task that wrote, moved or not, with the generation current when it is
 * sent: otherwise a zombie's transaction would not be fenced. 4. Whatever is thrown, the caller
 * drops all uncommitted work of all tasks.
 */

import type { Engine } from '../../state/engine.ts'
import { StoreError } from '../../state/errors.ts'
import type { GroupMetadata, ProducedBatch, TransactionalProducer } from '../broker/port.ts'
import { BrokerError } from '../broker/errors.ts'
import type { Clock } from '../clock.ts'
import { RuntimeError } from '../errors/classes.ts'
import type { Logger } from '../logger.ts'
import { causeOf, type Generation, releaseMemory, storeBatch } from './generation.ts'
import type { CommitTimings } from './commit-timings.ts'
import type { RefusedInputs } from './refused-inputs.ts'
import { refuseRewound } from './remade-changelogs.ts'
import { sleep } from './sleep.ts'

export interface CommitterOptions {
  readonly producer: TransactionalProducer
  readonly engine: Engine
  readonly clock: Clock
  readonly logger: Logger
  readonly timings: CommitTimings
  readonly refusedInputs: RefusedInputs
  readonly applyAttemptsMax: number
  groupMetadata(): GroupMetadata
  /** The transaction has ended, the store is still to be written. */
  onEnded(): void
}

export class Committer {
  readonly options: CommitterOptions

  constructor(options: CommitterOptions) {
    this.options = options
  }

  /** @throws {BrokerError | StoreError | RuntimeError} as in the diagram; see their `action` */
  async commit(generation: Generation): Promise<void> {
    const { timings, clock } = this.options
    const startedMs = clock.monotonicMs()
    const produced = await this.send(generation)
    refuseRewound(generation, produced)
    const sentMs = clock.monotonicMs()
    await this.endTransaction()
    const endedMs = clock.monotonicMs()
    this.options.onEnded()
    for (const sealed of generation.tasks) sealed.task.committed(sealed)
    await this.apply(generation, produced)
    releaseMemory(generation, this.options.producer)
    timings.observe({
      sendMs: sentMs - startedMs,
      endMs: endedMs - sentMs,
      applyMs: clock.monotonicMs() - endedMs,
    })
  }

  /** Outputs, changelogs and offsets; all acknowledged when it resolves. */
  async send(generation: Generation): Promise<readonly ProducedBatch[]> {
    const { producer } = this.options
    producer.begin()
    const [produced, offsets] = await Promise.allSettled([
      generation.batches.length > 0 ? producer.produce(generation.batches) : [],
      this.sendOffsets(generation),
    ])
    if (produced.status === 'rejected') throw this.#refused(generation, produced.reason)
    if (offsets.status === 'rejected') throw offsets.reason
    return produced.value
  }

  sendOffsets({ offsets }: Generation): Promise<void> {
    return this.options.producer.sendOffsets(offsets, this.options.groupMetadata())
  }

  endTransaction(): Promise<void> {
    return this.options.producer.commit()
  }

  /**
   * Writes the committed rows and positions; retried, since the transaction stands.
   *
   * @throws {StoreError} the last attempt's; the tasks must catch up from their changelogs
   */
  async apply(generation: Generation, produced: readonly ProducedBatch[]): Promise<void> {
    const { clock, engine, applyAttemptsMax, logger } = this.options
    for (let attempt = 1; generation.tasks.some(({ stores }) => stores.length > 0); attempt++) {
      try {
        await engine.commit(storeBatch(generation, produced, clock.nowMs()))
        break
      } catch (error) {
        const mayRetry = error instanceof StoreError && error.action === 'retry'
        if (!mayRetry || attempt >= applyAttemptsMax) throw error
        const reason = error.message
        logger.warn({ reason, attempt }, 'the local store did not take a committed batch')
        await sleep(clock, applyBackoffMs * attempt)
      }
    }
    for (const sealed of generation.tasks) sealed.task.applied(sealed)
  }

  /** The broker will not take one record: its replay sends the input to the dead letters. */
  #refused(generation: Generation, error: unknown): unknown {
    if (!(error instanceof BrokerError) || error.action !== 'skip') return error
    const cause = causeOf(generation, error.details)
    if (cause === undefined) {
      return new RuntimeError(
        'STREAMS_HANDLER_FAILED',
        `${error.message}; no single input made `
          + 'this record (a store row or a punctuation did): raise the limit of the topic',
        error,
      )
    }
    this.options.refusedInputs.add(cause, error)
    return error
  }
}

const applyBackoffMs = 200
