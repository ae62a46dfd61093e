/**
 * Transactional ids, their owners, and the two-phase end of each transaction.
 *
 * ```
 *   commit()  ──► [row: commit] durable ──► answered ──markerDelayMs──► markers + offsets durable
 * ```
 * Called by `EmbeddedTransactionalProducer`; a crash after the first arrow is completed at the
 * next start. 1. An owner is a (producer id, epoch); any newer epoch fences it, at every call.
 * 2. Markers go to every touched partition; offsets become visible with them. 3. The next
 * transaction of the id appends nothing before the markers of the last one are durable, or its
 * records would fall into the older range. 4. A time-out aborts and fences; the owner is told so.
 */

import type { Engine } from '../../../state/engine.ts'
import type { Clock } from '../../clock.ts'
import { BrokerError } from '../errors.ts'
import type { CommittedOffset, ProduceBatch } from '../port.ts'
import type { Cluster } from './cluster.ts'
import type { CommittedOffsets, GroupOffset } from './committed-offsets.ts'
import type { Journal } from './journal.ts'
import type { AppendedRange, PartitionLog, ProducerIdentity } from './partition-log.ts'
import { recoverTransactions, type RecoveredTransaction } from './recover-transactions.ts'
import { encodeJson, namedKey } from './rows.ts'
import { batchKinds } from './stored-batch.ts'
import { encodeTransaction, Transaction, type TransactionRow } from './transaction.ts'

export interface TransactionCoordinatorOptions {
  readonly journal: Journal
  readonly clock: Clock
  readonly cluster: Cluster
  readonly committedOffsets: CommittedOffsets
  /** How long after the answer of commit or abort the markers are written, in ms. */
  readonly markerDelayMs: number
  /** How much later than the offsets' the markers of the logs are written, in ms. */
  readonly logMarkerDelayMs: number
  /** Writing the markers failed: how long to wait before the next attempt, in ms. */
  readonly markerRetryMs: number
}

type Decision = 'commit' | 'abort'

interface Owned {
  readonly transactionalId: string
  identity: ProducerIdentity
  timeoutMs: number
  /** The owner that a time-out fenced: it gets a better message. */
  timedOut: ProducerIdentity | undefined
  open: Transaction | undefined
  /** Settles when the markers of the previous transaction are durable. */
  ending: PromiseWithResolvers<void> | undefined
}

export interface AppendTo {
  readonly log: PartitionLog
  readonly batch: ProduceBatch
}

export class TransactionCoordinator {
  readonly #options: TransactionCoordinatorOptions
  readonly #owned = new Map<string, Owned>()
  #stopped = false

  constructor(options: TransactionCoordinatorOptions) {
    this.#options = options
  }

  /**
   * Completes what the last start prepared; aborts what it left open, or keeps it open until it
   * is fenced or timed out.
   */
  async recover(
    engine: Engine,
    logs: Iterable<PartitionLog>,
    leftOpen: 'abort' | 'keep',
  ): Promise<void> {
    const recovered = recoverTransactions(engine, logs, this.#options.clock.nowMs())
    for (const id of recovered.expired) this.#options.journal.delete(namedKey('transaction', id))
    for (const left of recovered.transactions) this.#adopt(left, leftOpen)
    await this.settled()
  }

  /** A new owner of the id: aborts what the old one left open, and fences it from now on. */
  async init(transactionalId: string, timeoutMs: number): Promise<ProducerIdentity> {
    const owned = this.#ownedBy(transactionalId, timeoutMs)
    this.#raiseEpoch(owned)
    const identity = owned.identity
    owned.timeoutMs = timeoutMs
    owned.timedOut = undefined
    while (owned.open !== undefined || owned.ending !== undefined) {
      if (owned.open !== undefined) await this.#end(owned, owned.open, 'abort')
      await this.#ended(owned)
      if (this.#stopped) throw await this.#stopReason()
      this.check(transactionalId, identity)
    }
    this.#saveRow(owned, 'empty')
    await this.#options.journal.durable()
    return identity
  }

  /** @throws {BrokerError} BROKER_PRODUCER_FENCED, BROKER_TRANSACTION_TIMED_OUT: discard it */
  check(transactionalId: string, identity: ProducerIdentity): void {
    this.#checked(transactionalId, identity)
  }

  isEnding(transactionalId: string): boolean {
    return this.#owned.get(transactionalId)?.ending !== undefined
  }

  /** @returns ranges in the order of `targets`; durable when the journal says so */
  async append(
    transactionalId: string,
    identity: ProducerIdentity,
    targets: readonly AppendTo[],
  ): Promise<readonly AppendedRange[]> {
    const { clock, journal } = this.#options
    const owned = await this.#ready(transactionalId, identity)
    const transaction = this.#transaction(owned)
    const nowMs = clock.monotonicMs()
    const ranges = targets.map(({ log, batch }) => {
      const range = log.append(batch, identity, nowMs)
      if (range.nextOffset > range.baseOffset && !transaction.partitions.has(log)) {
        transaction.partitions.set(log, range.baseOffset)
      }
      return range
    })
    this.#saveTouched(owned, transaction)
    await journal.durable()
    return ranges
  }

  async addOffsets(
    transactionalId: string,
    identity: ProducerIdentity,
    { groupId, offsets }: { groupId: string; offsets: readonly CommittedOffset[] },
  ): Promise<void> {
    const { committedOffsets } = this.#options
    const owned = await this.#ready(transactionalId, identity)
    const transaction = this.#transaction(owned)
    for (const offset of offsets) {
      const name = `${groupId}\0${offset.topic}\0${offset.partition}`
      const isNew = !transaction.offsets.has(name)
      const groupOffset: GroupOffset = {
        groupId,
        topic: offset.topic,
        partition: offset.partition,
        offset: offset.offset,
        metadata: offset.metadata,
      }
      transaction.offsets.set(name, groupOffset)
      if (isNew) committedOffsets.addPending(groupOffset)
    }
  }

  /** Nothing sent: nothing written. Resolves when the decision is durable. */
  async end(
    transactionalId: string,
    identity: ProducerIdentity,
    decision: Decision,
  ): Promise<void> {
    const { open } = await this.#ready(transactionalId, identity)
    if (open === undefined) return
    await this.#end(this.#checked(transactionalId, identity), open, decision)
  }

  /** Waits until every decided transaction has its markers. */
  async settled(): Promise<void> {
    for (const owned of this.#owned.values()) await this.#ended(owned)
  }

  /** No timer writes after this. */
  stop(): void {
    this.#stopped = true
    for (const { open, ending } of this.#owned.values()) {
      open?.cancelTimer()
      ending?.resolve()
    }
  }

  async #end(owned: Owned, transaction: Transaction, decision: Decision): Promise<void> {
    const { journal } = this.#options
    transaction.cancelTimer()
    owned.open = undefined
    const ended = Promise.withResolvers<void>()
    owned.ending = ended
    this.#saveRow(owned, decision, transaction)
    try {
      await journal.durable()
    } catch (error) {
      owned.open = transaction
      this.#startTimer(owned, transaction)
      owned.ending = undefined
      ended.resolve()
      throw error
    }
    this.#after(this.#options.markerDelayMs, () => {
      void this.#complete(owned, transaction, decision).then(ended.resolve)
    })
  }

  async #complete(owned: Owned, transaction: Transaction, decision: Decision): Promise<void> {
    const { clock, committedOffsets, logMarkerDelayMs } = this.#options
    const isCommit = decision === 'commit'
    if (isCommit && logMarkerDelayMs > 0 && transaction.offsets.size > 0) {
      await this.#offsetsFirst(owned, transaction)
      await new Promise<void>((resolve) => this.#after(logMarkerDelayMs, resolve))
    }
    const rest = [...transaction.offsets.values()]
    await this.#written(() => {
      for (const [log, firstOffset] of transaction.partitions) {
        if (log.isDeleted) continue
        log.appendMarker(batchKinds[decision], transaction.identity, firstOffset, clock.nowMs())
      }
      if (isCommit) committedOffsets.commit(rest)
      this.#saveRow(owned, 'empty')
    })
    if (this.#stopped) return // not written, perhaps: nobody may read an older offset as committed
    owned.ending = undefined
    committedOffsets.removePending(rest)
  }

  /** As on Kafka, where each partition's leader gets its marker when it gets it. */
  async #offsetsFirst(owned: Owned, transaction: Transaction): Promise<void> {
    const { committedOffsets } = this.#options
    const offsets = [...transaction.offsets.values()]
    transaction.offsets.clear() // a later start must not commit them again, over newer ones
    await this.#written(() => {
      committedOffsets.commit(offsets)
      this.#saveRow(owned, 'commit', transaction)
    })
    if (this.#stopped) return
    committedOffsets.removePending(offsets)
  }

  /** The decision stands, so its writes are tried until they are durable or the broker stops. */
  async #written(write: () => void): Promise<void> {
    const { journal, markerRetryMs } = this.#options
    while (!this.#stopped) {
      try {
        write()
        return await journal.durable()
      } catch {
        await new Promise<void>((resolve) => this.#after(Math.max(1, markerRetryMs), resolve))
      }
    }
  }

  #adopt(left: RecoveredTransaction, leftOpen: 'abort' | 'keep'): void {
    const { transactionalId, row, transaction } = left
    const owned: Owned = {
      transactionalId,
      identity: transaction.identity,
      timeoutMs: row.timeoutMs,
      timedOut: undefined,
      open: undefined,
      ending: undefined,
    }
    this.#owned.set(transactionalId, owned)
    if (row.state === 'empty') return
    for (const [log, firstOffset] of transaction.partitions) {
      log.recoverOpenTransaction(row.producerId, firstOffset)
    }
    if (row.state === 'open' && leftOpen === 'keep') {
      owned.open = transaction
      this.#startTimer(owned, transaction)
      return
    }
    const decision = row.state === 'commit' ? 'commit' : 'abort'
    const ended = Promise.withResolvers<void>()
    owned.ending = ended
    void this.#complete(owned, transaction, decision).then(ended.resolve)
  }

  /** Until a row that names every touched partition is durable, each append writes one. */
  #saveTouched(owned: Owned, transaction: Transaction): void {
    const touched = transaction.partitions.size
    if (touched <= transaction.savedPartitions) return
    this.#saveRow(owned, 'open', transaction)
    this.#options.journal.onDurable(() => {
      transaction.savedPartitions = Math.max(transaction.savedPartitions, touched)
    })
  }

  /** Waits out the end of the previous transaction, then checks the owner again. */
  async #ready(transactionalId: string, identity: ProducerIdentity): Promise<Owned> {
    const owned = this.#checked(transactionalId, identity)
    if (owned.ending === undefined) return owned
    await this.#ended(owned)
    if (this.#stopped) throw await this.#stopReason()
    return this.#checked(transactionalId, identity)
  }

  /** The journal knows whether it was closed, or its disk failed. */
  async #stopReason(): Promise<unknown> {
    return this.#options.journal.durable().then(
      () => new BrokerError('BROKER_CLOSED', 'the embedded broker is closed'),
      (error: unknown) => error,
    )
  }

  async #ended(owned: Owned): Promise<void> {
    while (owned.ending !== undefined && !this.#stopped) await owned.ending.promise
  }

  #transaction(owned: Owned): Transaction {
    if (owned.open !== undefined) return owned.open
    const transaction = new Transaction(owned.identity)
    owned.open = transaction
    this.#startTimer(owned, transaction)
    return transaction
  }

  #startTimer(owned: Owned, transaction: Transaction): void {
    transaction.cancelTimer = this.#options.clock.setTimer(owned.timeoutMs, () => {
      if (owned.open !== transaction || this.#stopped) return
      owned.timedOut = owned.identity
      this.#raiseEpoch(owned)
      void this.#end(owned, transaction, 'abort').catch(() => {})
    })
  }

  #checked(transactionalId: string, identity: ProducerIdentity): Owned {
    const owned = this.#owned.get(transactionalId)
    if (owned === undefined) throw fenced(transactionalId)
    if (isSame(owned.identity, identity)) return owned
    if (owned.timedOut !== undefined && isSame(owned.timedOut, identity)) {
      throw new BrokerError(
        'BROKER_TRANSACTION_TIMED_OUT',
        `the transaction of ${transactionalId}`
          + ` was open longer than ${owned.timeoutMs} ms and was aborted`,
      )
    }
    throw fenced(transactionalId)
  }

  #ownedBy(transactionalId: string, timeoutMs: number): Owned {
    const known = this.#owned.get(transactionalId)
    if (known !== undefined) return known
    const owned: Owned = {
      transactionalId,
      timeoutMs,
      timedOut: undefined,
      open: undefined,
      ending: undefined,
      identity: { producerId: this.#options.cluster.takeProducerId(), producerEpoch: -1 },
    }
    this.#owned.set(transactionalId, owned)
    return owned
  }

  /** Epochs are 16 bits on Kafka; after the last one comes another producer id. */
  #raiseEpoch(owned: Owned): void {
    const { producerId, producerEpoch } = owned.identity
    owned.identity =
      producerEpoch < epochMax
        ? { producerId, producerEpoch: producerEpoch + 1 }
        : { producerId: this.#options.cluster.takeProducerId(), producerEpoch: 0 }
  }

  #saveRow(owned: Owned, state: TransactionRow['state'], transaction?: Transaction): void {
    const { journal, clock } = this.#options
    const { identity, timeoutMs, transactionalId } = owned
    const { producerId, producerEpoch } = transaction?.identity ?? identity
    const row = encodeTransaction(transaction, {
      producerId,
      producerEpoch,
      state,
      timeoutMs,
      updatedMs: clock.nowMs(),
    })
    journal.put(namedKey('transaction', transactionalId), encodeJson(row))
  }

  #after(delayMs: number, callback: () => void): void {
    const run = (): void => {
      if (!this.#stopped) callback()
    }
    if (delayMs > 0) this.#options.clock.setTimer(delayMs, run)
    else setImmediate(run)
  }
}

const epochMax = 32_766

const isSame = (left: ProducerIdentity, right: ProducerIdentity): boolean =>
  left.producerId === right.producerId && left.producerEpoch === right.producerEpoch

const fenced = (transactionalId: string): BrokerError =>
  new BrokerError('BROKER_PRODUCER_FENCED', `transactional id ${transactionalId} has a newer owner`)
