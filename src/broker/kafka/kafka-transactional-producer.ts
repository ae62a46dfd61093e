/**
 * One transactional id on Kafka, by transactions v2 (KIP-890): partitions and offsets join a
 * transaction by being sent, and every end of one brings the epoch of the next.
 *
 * ```
 *   new ──init──► ready ──begin──► open ──commit, abort──► ready
 *                                   │ a call that must not be repeated fails
 *                                   ▼
 *                                 failed ──abort──► ready       lost, fenced: init or discard it
 * ```
 * Made by `KafkaBroker.transactionalProducer`. 1. EndTxn is sent when everything of the transaction
 * has settled, and nothing is sent until it is answered: what came behind it would be committed
 * with the old transaction. 2. A lost answer of EndTxn is asked for again, with the same epoch,
 * which is safe; when a later answer contradicts the first, the outcome is unknown. 3. A
 * transaction that sent nothing ends without the broker. 4. CONCURRENT_TRANSACTIONS is waited out
 * in place.
 */

import { BrokerError } from '../errors.ts'
import {
  type CommittedOffset,
  type GroupMetadata,
  type ProduceBatch,
  type ProducedBatch,
  type TransactionalOptions,
  type TransactionalProducer,
} from '../port.ts'
import { BatchSender, type BatchSenderOptions } from './batch-sender.ts'
import { type Cluster, isUnavailable } from './cluster.ts'
import { brokerErrorOf, kafkaFailure, noError } from './errors.ts'
import { ProducerIdentity } from './producer-identity.ts'
import { call } from './protocol/call.ts'
import { endTxn, type EndTxnAnswer } from './protocol/end-txn.ts'
import { initProducerId } from './protocol/init-producer-id.ts'
import { TransactionOffsets } from './transaction-offsets.ts'

type SenderParts = Pick<BatchSenderOptions, 'cluster' | 'configs' | 'compression' | 'purpose'>

export interface KafkaTransactionalProducerOptions extends TransactionalOptions, SenderParts {
  onClose?(producer: KafkaTransactionalProducer): void
}

const defaultTimeoutMs = 10_000

export class KafkaTransactionalProducer implements TransactionalProducer {
  readonly transactionalId: string
  readonly #options: KafkaTransactionalProducerOptions
  readonly #cluster: Cluster
  readonly #sender: BatchSender
  readonly #offsets: TransactionOffsets
  readonly #pending = new Set<Promise<unknown>>()
  #identity: ProducerIdentity | undefined
  #state: 'new' | 'ready' | 'open' | 'failed' | 'lost' | 'closed' = 'new'
  #hasSent = false
  #failure: unknown

  constructor(options: KafkaTransactionalProducerOptions) {
    const { transactionalId, cluster, purpose } = options
    this.#options = options
    this.transactionalId = transactionalId
    this.#cluster = cluster
    this.#sender = new BatchSender({ ...options, identity: () => this.#identity!, onGap: () => {} })
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
    const identity = await this.#initialise()
    this.#identity = identity
    this.#hasSent = false
    if (!this.#isClosed()) this.#state = 'ready'
  }

  begin(): void {
    this.#expect('begin', 'ready')
    this.#state = 'open'
    this.#failure = undefined
  }

  produce(batches: readonly ProduceBatch[]): Promise<readonly ProducedBatch[]> {
    return this.#sending('produce', () => this.#sender.send(batches))
  }

  sendOffsets(offsets: readonly CommittedOffset[], group: GroupMetadata): Promise<void> {
    return this.#sending('sendOffsets', () => this.#offsets.send(offsets, group, this.#identity!))
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

  get #endPurpose(): string {
    return `${this.#options.purpose}:end`
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  async #initialise(): Promise<ProducerIdentity> {
    const { transactionTimeoutMs = defaultTimeoutMs } = this.#options
    const { transactionalId } = this
    const doing = `init of producer ${transactionalId}`
    const backoff = this.#cluster.backoff({ firstMs: 2, mostMs: 100 })
    for (;;) {
      const { errorCode, producerId, epoch } = await this.#cluster.askCoordinator({
        kind: 'transaction',
        key: transactionalId,
        purpose: this.#endPurpose,
        doing,
        isRepeatable: true,
        request: (connection) =>
          call(initProducerId, connection, { transactionalId, transactionTimeoutMs }),
        errorCode: (answer) => answer.errorCode,
      })
      if (errorCode === noError) return new ProducerIdentity(producerId, epoch, true)
      const failure = brokerErrorOf(errorCode, doing)
      if (kafkaFailure(errorCode).handling === 'fail') throw failure
      await backoff.pause(failure)
    }
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
    if (this.#hasSent) {
      try {
        this.#next(await this.#endOnBroker(isCommit))
      } catch (error) {
        if (!this.#isClosed()) this.#state = 'lost'
        throw error
      }
    }
    this.#hasSent = false
    if (!this.#isClosed()) this.#state = 'ready'
  }

  #next({ producerId, epoch }: EndTxnAnswer): void {
    this.#identity = new ProducerIdentity(producerId, epoch, true)
  }

  async #endOnBroker(isCommit: boolean): Promise<EndTxnAnswer> {
    const { transactionalId } = this
    const { producerId, epoch } = this.#identity!
    const doing = `${isCommit ? 'commit' : 'abort'} of ${transactionalId}`
    const backoff = this.#cluster.backoff({ firstMs: 2, mostMs: 100 })
    let isUncertain = false
    for (;;) {
      const answer = await this.#cluster
        .askCoordinator({
          kind: 'transaction',
          key: transactionalId,
          purpose: this.#endPurpose,
          doing,
          isRepeatable: false,
          request: (connection) =>
            call(endTxn, connection, { transactionalId, producerId, epoch, isCommit }),
          errorCode: ({ errorCode }) => {
            // a coordinator that moves may have written it all the same
            if (kafkaFailure(errorCode).handling === 'coordinator') isUncertain = true
            return errorCode
          },
        })
        .catch((error: unknown) => lostAnswer(error, doing))
      if (answer instanceof BrokerError) {
        isUncertain = true
        await backoff.pause(answer)
        continue
      }
      if (answer.errorCode === noError) return answer
      const refused = brokerErrorOf(answer.errorCode, doing)
      const failure = isUncertain ? unknownOutcome(refused) : refused
      if (kafkaFailure(answer.errorCode).handling === 'fail') throw failure
      await backoff.pause(unknownOutcome(refused))
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

/** @throws what is not about the connection */
const lostAnswer = (error: unknown, doing: string): BrokerError => {
  if (!isUnavailable(error)) throw error
  return new BrokerError('BROKER_UNKNOWN_OUTCOME', `${doing}: no answer: ${error.message}`, {
    cause: error,
  })
}

const unknownOutcome = (cause: BrokerError): BrokerError =>
  new BrokerError('BROKER_UNKNOWN_OUTCOME', `an answer was lost, and then: ${cause.message}`, {
    cause,
  })
