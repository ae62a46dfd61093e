/**
 * One transactional id on Kafka. Transactions v2 (KIP-890, Kafka 4): partitions and offsets join a
 * transaction by being sent, and every end of one brings the epoch of the next. Transactions v1
 * (Kafka 3): they join by requests of their own first, and the epoch stays.
 *
 * ```
 *   new ──init──► ready ──begin──► open ──commit, abort──► ready
 *                                   │ a call that must not be repeated fails
 *                                   ▼
 *                                 failed ──abort──► ready       lost, fenced: init or discard it
 * ```
 * Made by `KafkaBroker.transactionalProducer`. 1. EndTxn is sent when everything of the transaction
 * has settled, and nothing is sent until it is answered: what came behind it would be committed
 * with the old transaction. 2. A transaction that sent nothing ends without the broker.
 * 3. CONCURRENT_TRANSACTIONS is waited out in place. 4. The hazard of v1: a late produce of an
 * aborted transaction carries the epoch of the next and would be committed with it (KIP-890). So
 * when any call failed, abort raises the epoch (InitProducerId with ours) before the next
 * transaction; sequences begin anew. A commit needs none: every call of it was answered.
 * 5. Which of the two is spoken is asked at `init`, and stays until the next.
 */

import { BrokerError } from '../errors.ts'
import { noHeaders } from '../../record.ts'
import type {
  CommittedOffset,
  ForgottenPlaces,
  GroupMetadata,
  ProduceBatch,
  ProducedBatch,
  TopicPartition,
  TransactionalOptions,
  TransactionalProducer,
  WrittenPlaces,
} from '../port.ts'
import { BatchSender, type BatchSenderOptions } from './batch-sender.ts'
import type { Cluster } from './cluster.ts'
import { unstableOffsets } from './committed-offsets.ts'
import { endTransaction } from './end-transaction.ts'
import { kafkaCodes } from './errors.ts'
import { hangingPartitions } from './hanging-partitions.ts'
import {
  initTransactionalId,
  type TransactionalId,
  transactionsOf,
} from './init-transactional-id.ts'
import { unknownEnd } from './last-end.ts'
import { ProducerIdentity } from './producer-identity.ts'
import { type TransactionRequests, transactionsV2 } from './protocol/transactions.ts'
import { TransactionJoins } from './transaction-joins.ts'
import { TransactionOffsets } from './transaction-offsets.ts'

type SenderParts = Pick<BatchSenderOptions, 'cluster' | 'configs' | 'compression' | 'purpose'>

export interface KafkaTransactionalProducerOptions extends TransactionalOptions, SenderParts {
  onClose?(producer: KafkaTransactionalProducer): void
}

const defaultTimeoutMs = 10_000
/** Nearly always enough for the coordinator to write down what joins. */
const joinMs = 2
const noop = (): void => {}

export class KafkaTransactionalProducer implements TransactionalProducer {
  readonly transactionalId: string
  readonly forgetsProduced = true
  readonly #options: KafkaTransactionalProducerOptions
  readonly #cluster: Cluster
  readonly #sender: BatchSender
  readonly #offsets: TransactionOffsets
  readonly #joins: TransactionJoins
  readonly #pending = new Set<Promise<unknown>>()
  #identity: ProducerIdentity | undefined
  /** Of the owner before. */
  #lastEnd = unknownEnd
  #requests: TransactionRequests = transactionsV2
  #state: 'new' | 'ready' | 'open' | 'failed' | 'lost' | 'closed' = 'new'
  #hasSent = false
  /** The last of this transaction has settled. */
  #produced: Promise<void> = Promise.resolve()
  #failure: unknown

  constructor(options: KafkaTransactionalProducerOptions) {
    const { transactionalId, cluster, purpose } = options
    this.#options = options
    this.transactionalId = transactionalId
    this.#cluster = cluster
    this.#joins = new TransactionJoins({ cluster, transactionalId, purpose: this.#endPurpose })
    this.#sender = new BatchSender({
      ...options,
      identity: () => this.#identity!,
      produce: () => this.#requests.produce,
      join: (batches) => this.#join(batches),
      onGap: () => {},
    })
    this.#offsets = new TransactionOffsets({
      cluster,
      transactionalId,
      purpose: `${purpose}:offsets`,
    })
  }

  async init(): Promise<void> {
    this.#expect('init', 'new', 'ready', 'open', 'failed', 'lost')
    this.#state = 'new'
    await this.#settle()
    const requests = await transactionsOf(this.#id)
    const { identity, lastEnd } = await initTransactionalId(this.#id)
    this.#identity = identity
    this.#lastEnd = lastEnd
    this.#requests = requests
    this.#hasSent = false
    this.#joins.clear()
    if (!this.#isClosed()) this.#state = 'ready'
  }

  /**
   * Kafka may lose the markers of a transaction that ends while brokers start (seen with 4.3: one
   * that timed out meanwhile). The next marker of the same producer ends what is open: so an empty
   * transaction is aborted in the same places. What was committed must not be ended so.
   */
  async releaseForgotten({ partitions, inputs, groupId }: WrittenPlaces): Promise<ForgottenPlaces> {
    this.#expect('releaseForgotten', 'ready')
    const hanging = await hangingPartitions(this.#cluster, this.#identity!.producerId, partitions)
    const unstable = await unstableOffsets(this.#cluster, { groupId, partitions: inputs })
    const { outcome, epoch } = this.#lastEnd
    const isAborted = outcome === 'aborted'
    // of an earlier transaction nobody knows the end any more; offsets are part of every one
    const open = isAborted ? hanging.filter((found) => found.epoch >= epoch - 1) : []
    const held = hanging.filter((found) => !open.includes(found))
    if (!isAborted || open.length + unstable.length === 0) {
      return { released: [], held: [...held, ...unstable] }
    }
    await this.#abortIn(open, unstable, groupId)
    const heldOffsets = await unstableOffsets(this.#cluster, { groupId, partitions: unstable })
    const isHeld = new Set(heldOffsets.map(nameOf))
    const freed = unstable.filter((input) => !isHeld.has(nameOf(input)))
    return { released: [...open, ...freed], held: [...held, ...heldOffsets] }
  }

  async #abortIn(
    partitions: readonly TopicPartition[],
    inputs: readonly TopicPartition[],
    groupId: string,
  ): Promise<void> {
    this.begin()
    try {
      const nowMs = this.#cluster.clock.nowMs()
      const batches = partitions.map((partition) => emptyBatch(partition, nowMs))
      if (batches.length > 0) await this.produce(batches)
      const offsets = inputs.map((input) => ({ ...input, offset: 0n, metadata: '' }))
      await this.sendOffsets(offsets, { groupId, memberId: '', generationId: -1 })
    } finally {
      await this.abort()
    }
  }

  begin(): void {
    this.#expect('begin', 'ready')
    this.#state = 'open'
    this.#failure = undefined
  }

  produce(batches: readonly ProduceBatch[]): Promise<readonly ProducedBatch[]> {
    return this.#sending('produce', () => {
      const sent = this.#sender.send(batches)
      this.#produced = sent.then(noop, noop)
      return sent
    })
  }

  sendOffsets(offsets: readonly CommittedOffset[], group: GroupMetadata): Promise<void> {
    return this.#sending('sendOffsets', async () => {
      if (!this.#requests.isJoinedAhead) await this.#whileProduceJoins()
      this.#expect('sendOffsets', 'open')
      const [identity, { isJoinedAhead, txnOffsetCommit }] = [this.#identity!, this.#requests]
      if (isJoinedAhead && offsets.length > 0) await this.#joins.group(group.groupId, identity)
      await this.#offsets.send(offsets, group, { identity, txnOffsetCommit })
    })
  }

  async commit(): Promise<void> {
    if (this.#state === 'failed') throw this.#failure
    this.#expect('commit', 'open')
    if (this.#pending.size > 0) {
      throw new BrokerError(
        'BROKER_INVALID_REQUEST',
        `commit: producer ${this.transactionalId} has calls that are not answered yet`,
      )
    }
    await this.#end(true)
  }

  async abort(): Promise<void> {
    this.#expect('abort', 'open', 'failed')
    await this.#settle()
    await this.#end(false)
  }

  async close(): Promise<void> {
    if (this.#isClosed()) return
    this.#state = 'closed'
    this.#sender.close()
    for (const purpose of [this.#endPurpose, `${this.#options.purpose}:offsets`]) {
      this.#cluster.connections.drop(purpose)
    }
    this.#options.onClose?.(this)
  }

  /**
   * The coordinator takes one join at a time: offsets that arrive while it writes down the
   * partitions of a produce make either of them be refused, and be sent again later.
   */
  async #whileProduceJoins(): Promise<void> {
    const { clock } = this.#cluster
    const moment = new Promise<void>((resolve) => {
      clock.setTimer(joinMs, resolve)
    })
    await Promise.race([this.#produced, moment])
    if (this.#state === 'failed') throw this.#failure
  }

  get #endPurpose(): string {
    return `${this.#options.purpose}:end`
  }

  get #id(): TransactionalId {
    const { transactionTimeoutMs = defaultTimeoutMs } = this.#options
    const { transactionalId } = this
    const [cluster, purpose] = [this.#cluster, this.#endPurpose]
    return { cluster, transactionalId, transactionTimeoutMs, purpose }
  }

  async #join(batches: readonly ProduceBatch[]): Promise<void> {
    if (this.#requests.isJoinedAhead) await this.#joins.partitions(batches, this.#identity!)
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Two of these may be in flight together; the first failure of either is kept. */
  async #sending<T>(operation: string, send: () => Promise<T>): Promise<T> {
    this.#expect(operation, 'open', 'failed')
    if (this.#state === 'failed') throw this.#failure
    this.#hasSent = true
    const sent = send()
    this.#pending.add(sent)
    try {
      return await sent
    } catch (error) {
      if (this.#state === 'open') {
        this.#state = 'failed'
        this.#failure = error
      }
      throw error
    } finally {
      this.#pending.delete(sent)
    }
  }

  /** Nothing is on its way any more. */
  async #settle(): Promise<void> {
    if (this.#pending.size === 0) return
    this.#sender.cancel(
      new BrokerError(
        'BROKER_TRANSACTION_TIMED_OUT',
        `the transaction of ${this.transactionalId} is being aborted`,
      ),
    )
    await Promise.allSettled(this.#pending)
  }

  async #end(isCommit: boolean): Promise<void> {
    const isWhole = this.#state === 'open'
    try {
      if (this.#requests.isJoinedAhead) await this.#endJoined(isCommit, isWhole)
      else if (this.#hasSent) await this.#endOnBroker(isCommit)
    } catch (error) {
      if (!this.#isClosed()) this.#state = 'lost'
      throw error
    }
    this.#hasSent = false
    this.#joins.clear()
    if (!this.#isClosed()) this.#state = 'ready'
  }

  async #endJoined(isCommit: boolean, isWhole: boolean): Promise<void> {
    if (!this.#joins.wasAsked) return
    await this.#endOnBroker(isCommit)
    // whatever of it is still on its way must not be taken for a part of the next one
    if (isWhole) return
    const { identity } = await initTransactionalId(this.#id, this.#identity)
    this.#identity = identity
  }

  async #endOnBroker(isCommit: boolean): Promise<void> {
    const { transactionalId } = this
    const { producerId, epoch } = this.#identity!
    const { endTxn, isJoinedAhead } = this.#requests
    const { next } = await endTransaction({
      cluster: this.#cluster,
      purpose: this.#endPurpose,
      endTxn,
      request: { transactionalId, producerId, epoch, isCommit },
      isEnded: (errorCode) =>
        // no join was heard of: there may be nothing to abort
        errorCode === kafkaCodes.invalidTransactionState
        && isJoinedAhead
        && !isCommit
        && !this.#joins.isOpen,
    })
    if (next !== undefined) {
      this.#identity = new ProducerIdentity(next.producerId, next.epoch, true)
    }
  }

  #expect(doing: string, ...states: readonly string[]): void {
    if (states.includes(this.#state)) return
    if (this.#isClosed()) throw new BrokerError('BROKER_CLOSED', 'the producer is closed')
    throw new BrokerError(
      'BROKER_INVALID_REQUEST',
      `${doing}: producer ${this.transactionalId} is ${this.#state}, not ${states.join(' or ')}`,
    )
  }
}

/** Never read: its transaction is aborted. Compacted topics want a key. */
const emptyBatch = ({ topic, partition }: TopicPartition, timestampMs: number): ProduceBatch => ({
  topic,
  partition,
  records: [{ timestampMs, key: Uint8Array.of(0), value: null, headers: noHeaders }],
})

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`
