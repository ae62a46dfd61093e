/**
 * The right to change what becomes of dead letters: whoever holds the transactional id has it.
 *
 * ```
 *   takeOver: InitProducerId (fences and aborts others) ──► read the audit to its end ──► held
 *   write:    begin ──► records to their topics ──► entries ──► commit ──► read them back
 * ```
 * Used by the desk, one call after the other. 1. Records and entries are one transaction: a kill
 * anywhere leaves both or neither. 2. While held, nobody else writes entries, so the ledger is the
 * truth. 3. After any failure nothing is known any more: it must be taken over anew, which ends
 * what was open and reads how it ended; an unknown outcome is never guessed.
 */

import { BrokerError } from '../broker/errors.ts'
import type {
  Broker,
  ProduceBatch,
  ProducedBatch,
  TopicPartition,
  TransactionalProducer,
} from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { noHeaders } from '../record.ts'
import { releaseForgotten } from '../runtime/forgotten-transactions.ts'
import { type AuditEntry, encodeAuditEntry } from './audit-entry.ts'
import type { AuditLedger } from './audit-ledger.ts'
import { auditTopic, checkAuditKeepsAll } from './audit-topic.ts'
import { DeskError } from './desk-error.ts'

export interface AuditWriterOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly logger: Logger
  readonly ledger: AuditLedger
  /** Of the dead letters. */
  readonly topic: string
}

export interface Change {
  /** For other topics; none for what only changes the audit. */
  readonly batches: readonly ProduceBatch[]
  /** Made when it is known where the records are. */
  entries(produced: readonly ProducedBatch[]): readonly AuditEntry[]
}

export class AuditWriter {
  readonly #options: AuditWriterOptions
  #producer: TransactionalProducer | undefined

  constructor(options: AuditWriterOptions) {
    this.#options = options
  }

  get isHeld(): boolean {
    return this.#producer !== undefined
  }

  /**
   * Makes the audit topic if there is none, fences whoever else writes, and catches up.
   *
   * @param written  where earlier owners may have left records
   * @throws {DeskError} DLQ_REFUSED: the audit does not keep everything
   * @throws {BrokerError} as `TransactionalProducer.init`
   */
  async takeOver(written: readonly TopicPartition[]): Promise<void> {
    await this.release()
    const { broker, ledger, topic, logger } = this.#options
    await auditTopic(broker.topics, topic)
    await checkAuditKeepsAll(broker.topics, ledger.place)
    const producer = broker.transactionalProducer({ transactionalId: `${topic}-desk` })
    try {
      await producer.init()
      const places = { partitions: [ledger.place, ...written], groupId: '', inputs: [] }
      await releaseForgotten(producer, places, logger)
      await ledger.catchUpFully()
    } catch (error) {
      await producer.close()
      throw error
    }
    this.#producer = producer
  }

  /**
   * Writes records and entries, all or nothing, and reads the entries back.
   *
   * @throws {BrokerError} `skip`: the broker does not take the record that `details` names; nothing
   * was written, and the rest may be tried without it
   * @throws {DeskError} DLQ_TAKEN_OVER: nothing was written
   * @throws {BrokerError} what happened is not known; take over, and the ledger tells
   */
  async write({ batches, entries }: Change): Promise<void> {
    const producer = this.#producer!
    const { clock, ledger } = this.#options
    try {
      producer.begin()
      const produced = batches.length === 0 ? [] : await producer.produce(batches)
      const records = entries(produced).map((entry) => ({
        timestampMs: clock.nowMs(),
        key: Buffer.from(entry.letter),
        value: encodeAuditEntry(entry),
        headers: noHeaders,
      }))
      await producer.produce([{ ...ledger.place, records }])
      await producer.commit()
      await ledger.catchUpFully()
    } catch (error) {
      throw await this.#failed(producer, error)
    }
  }

  async release(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    await producer?.close()
  }

  async #failed(producer: TransactionalProducer, error: unknown): Promise<unknown> {
    if (error instanceof BrokerError && error.action === 'skip') {
      try {
        await producer.abort()
        return error
      } catch (abortError) {
        await this.release()
        return abortError
      }
    }
    await this.release()
    if (!(error instanceof BrokerError) || error.action !== 'rejoin') return error
    return new DeskError(
      'DLQ_TAKEN_OVER',
      `another command works on the dead letters of ${this.#options.topic} since a moment ago; `
        + 'let it end, then run this one again: it goes on where it was',
      { cause: error },
    )
  }
}
