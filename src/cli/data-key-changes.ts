/**
 * The right to change data keys that exist: whoever holds the transactional id has it.
 *
 * ```
 *   take over: InitProducerId (fences and aborts others) ──► read the topic to its end
 *   then:      rows from what is known now ──► begin ──► records ──► commit, a few times
 * ```
 * Used to erase and to rotate. 1. Between taking over and a commit nobody else changes a key: a
 * rotation cannot write over the note that a key was destroyed. 2. Who is fenced begins again, from
 * what is on the topic then. 3. An unknown outcome is passed on: whoever asks again reads it.
 */

import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { PersonalDataError } from '../../topologies/shop/personal/personal-data-error.ts'
import { BrokerError } from '../broker/errors.ts'
import type { Broker, TransactionalProducer } from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { releaseForgotten } from '../runtime/forgotten-transactions.ts'
import { dataKeyPlace, type DataKeyTable, keyRecord, type KeyRow } from './data-key-table.ts'

export interface DataKeyChangesOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly logger: Logger
  readonly table: DataKeyTable
}

/** Rows by key id. */
export type KeyRows = readonly (readonly [string, KeyRow])[]

/** @param nowMs  of the clock */
export type RowsOf = (nowMs: number) => Iterable<KeyRows>

/** Of the application, whose replicas may write under it. */
const transactionalId = 'shop-data-keys'
const takeOversMax = 8
const pauseMs = 50

export class DataKeyChanges {
  readonly #options: DataKeyChangesOptions
  /** One after the other: this process would fence itself. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: DataKeyChangesOptions) {
    this.#options = options
  }

  /**
   * Writes what `rowsOf` makes of the table, each of its batches as one transaction.
   *
   * @param rowsOf  asked after each taking over; the table is as of now
   * @returns  how many rows were written since the last taking over
   * @throws {PersonalDataError} as `DataKeyTable.refresh`; others change keys all the time
   * @throws {BrokerError} BROKER_UNKNOWN_OUTCOME: ask again; and what else the broker refuses
   */
  change(rowsOf: RowsOf): Promise<number> {
    const turn = this.#last.then(() => this.#change(rowsOf))
    this.#last = turn.catch(() => {})
    return turn
  }

  async #change(rowsOf: RowsOf): Promise<number> {
    for (let takeOver = 1; ; takeOver++) {
      const producer = this.#options.broker.transactionalProducer({ transactionalId })
      try {
        await this.#takeOver(producer)
        let written = 0
        for (const rows of rowsOf(this.#options.clock.nowMs()))
          written += await this.#write(producer, rows)
        return written
      } catch (error) {
        const isFenced = error instanceof BrokerError && error.action === 'rejoin'
        if (!isFenced) throw error
        if (takeOver === takeOversMax) throw busy(error)
      } finally {
        await producer.close()
      }
      await sleep(randomInt(pauseMs * takeOver)) // the others are to end what they began
    }
  }

  async #takeOver(producer: TransactionalProducer): Promise<void> {
    const { table, logger } = this.#options
    await producer.init()
    const places = { partitions: [dataKeyPlace], groupId: '', inputs: [] }
    await releaseForgotten(producer, places, logger)
    await table.refresh()
  }

  async #write(producer: TransactionalProducer, rows: KeyRows): Promise<number> {
    if (rows.length === 0) return 0
    const nowMs = this.#options.clock.nowMs()
    const records = rows.map(([keyId, row]) => keyRecord(keyId, row, nowMs))
    producer.begin()
    await producer.produce([{ ...dataKeyPlace, records }])
    await producer.commit()
    await this.#options.table.refresh() // brokers make it visible a moment later
    return rows.length
  }
}

const busy = (cause: BrokerError): PersonalDataError =>
  new PersonalDataError('Data keys are changed by others all the time: ask again.', { cause })
