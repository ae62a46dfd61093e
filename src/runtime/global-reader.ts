/**
 * Reads the topics of global tables into the memory of this instance, whole, and follows them.
 *
 * ```
 *   catchUp: first offset ──► last stable offset as it was at the call, every partition
 *   follow:  from there on, for as long as the instance lives
 * ```
 * Called by the application before its tasks open. 1. read_committed. 2. Rows change between two
 * records, never within one: what a fetch brought is applied in one go, and a record is processed
 * in one go. 3. A broker that is away is waited for; what else goes wrong stops the instance. 4. A
 * value that cannot be decoded is logged and leaves the row as it was, unless the handler of such
 * records says `fail`: there is no task whose dead letter it could be.
 */

import { BrokerError } from '../broker/errors.ts'
import type { Broker, Fetcher, RawBatch, TopicPartition } from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import { RuntimeError } from '../errors/classes.ts'
import type { Logger } from '../logger.ts'
import type { RuntimeConfig } from '../runtime-config.ts'
import { SchemaRegistryError } from '../schema-registry/errors.ts'
import type { GlobalTables } from '../stores/global-rows.ts'
import { askAll, missingSchemas } from '../task/missing-schemas.ts'
import { sleep } from './sleep.ts'
import { ToldReasons } from './told-reasons.ts'
import type { TopicFacts } from './topic-plan.ts'

export interface GlobalReaderOptions {
  readonly globals: GlobalTables
  readonly broker: Broker
  readonly topics: Pick<TopicFacts, 'topic'>
  readonly clientId: string
  readonly config: RuntimeConfig
  readonly clock: Clock
  readonly logger: Logger
  /** It cannot go on: stop the instance. */
  onFault(error: unknown): void
}

export class GlobalReader {
  readonly #options: GlobalReaderOptions
  readonly #cursors: GlobalCursor[] = []
  readonly #told = new ToldReasons()
  #fetcher: Fetcher | undefined
  #isClosed = false

  constructor(options: GlobalReaderOptions) {
    this.#options = options
  }

  /**
   * Returns when every table has what was committed at the time of the call, and follows from then.
   *
   * Returns at once, too, if it is closed meanwhile.
   *
   * @throws {BrokerError | RuntimeError} stop
   */
  async catchUp(): Promise<void> {
    const { globals, topics, broker, clientId } = this.#options
    const partitions = globals.topicNames.flatMap((logical) => {
      const { name: topic, partitions: count } = topics.topic(logical)
      return Array.from({ length: count }, (_, partition) => ({ logical, topic, partition }))
    })
    if (partitions.length === 0) return
    await this.#patiently(async () => {
      this.#cursors.length = 0
      for (const at of partitions) {
        const { logStartOffset, lastStableOffset } = await broker.topics.offsets(at)
        this.#cursors.push({ ...at, offset: logStartOffset, endOffset: lastStableOffset })
      }
    })
    this.#fetcher = broker.fetcher(`${clientId}-globals`)
    const isBehind = (): boolean =>
      this.#cursors.some(({ offset, endOffset }) => offset < endOffset)
    while (!this.#isClosed && isBehind()) await this.#patiently(() => this.#fetch())
    this.#follow().catch((error: unknown) => {
      if (!this.#isClosed) this.#options.onFault(error)
    })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#fetcher?.wakeUp()
    await this.#fetcher?.close()
  }

  async #follow(): Promise<void> {
    while (!this.#isClosed) await this.#patiently(() => this.#fetch())
  }

  async #fetch(): Promise<void> {
    const { restoreBatchBytes: maxBytes, fetchMaxWaitMs: maxWaitMs } = this.#options.config
    const batches = await this.#fetcher!.fetch(
      this.#cursors.map(({ topic, partition, offset }) => ({ topic, partition, offset, maxBytes })),
      { isolation: 'read_committed', maxWaitMs },
    )
    for (const [index, batch] of batches.entries()) {
      const cursor = this.#cursors[index]!
      const { topic: serdes } = this.#options.globals.rows(cursor.logical)
      await this.#patiently(() => askAll(missingSchemas(serdes, batch)))
      if (this.#isClosed) return
      this.#apply(cursor, batch)
    }
  }

  #apply(cursor: GlobalCursor, batch: RawBatch): void {
    const rows = this.#options.globals.rows(cursor.logical)
    for (const record of batch.records) {
      try {
        rows.apply(record)
      } catch (error) {
        const offset = batch.baseOffset + BigInt(record.offsetDelta)
        this.#refused({ ...cursor, offset }, error)
      }
    }
    if (batch.nextOffset > cursor.offset) cursor.offset = batch.nextOffset
  }

  #refused(
    { topic, partition, offset }: TopicPartition & { offset: bigint },
    error: unknown,
  ): void {
    const { config, logger } = this.#options
    const place = `partition ${partition}, offset ${offset}`
    const message = `a record of the global table ${topic}, ${place},`
    if (config.onDeserializationError === 'fail') {
      throw new RuntimeError(
        'STREAMS_HANDLER_FAILED',
        `${message} cannot be decoded, and the handler is set to fail: mend the topic`,
        error,
      )
    }
    logger.error({ err: error }, `${message} cannot be decoded; its row stays as it was`)
  }

  /** Tries again while the broker is away, until closed. */
  async #patiently(act: () => Promise<void>): Promise<void> {
    const { clock, logger } = this.#options
    for (let failures = 1; !this.#isClosed; failures++) {
      try {
        const result = await act()
        this.#told.clear()
        return result
      } catch (error) {
        if (this.#isClosed) return
        const isPassing = error instanceof BrokerError && error.action === 'retry'
        if (!isPassing && !(error instanceof SchemaRegistryError)) throw error
        const reason = error.message
        if (this.#told.isNew(reason)) {
          logger.warn({ reason }, 'global tables cannot be read; tried again')
        }
        await sleep(clock, Math.min(10_000, 50 * 2 ** failures))
      }
    }
  }
}

interface GlobalCursor extends TopicPartition {
  /** The topic's name in the topology. */
  readonly logical: string
  offset: bigint
  /** What must be read before tasks run. */
  readonly endOffset: bigint
}
