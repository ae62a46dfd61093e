/**
 * The client's half of a transactional id: the order of calls, and what a failure leaves allowed.
 *
 * ```
 *   new ──init──► ready ──begin──► open ──commit, abort──► ready
 *                                   │ a call that must not be repeated fails
 *                                   ▼
 *                                 failed ──abort──► ready       lost, fenced: init or discard it
 * ```
 * Made by `EmbeddedBroker.transactionalProducer`; the coordinator holds the broker's half.
 * 1. After a refused produce or sendOffsets only abort works: a commit would lose that part.
 * 2. A failure whose action is `retry` had no effect and changes nothing.
 */

import type { Clock } from '../../clock.ts'
import { BrokerError } from '../errors.ts'
import type {
  CommittedOffset,
  GroupMetadata,
  ProduceBatch,
  ProducedBatch,
  TransactionalOptions,
  TransactionalProducer,
} from '../port.ts'
import { checkedTargets, producedBatch } from './embedded-producer.ts'
import type { EmbeddedBrokerFaults, FaultOperation } from './faults.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import type { ProducerIdentity } from './partition-log.ts'
import type { TopicRegistry } from './topic-registry.ts'
import type { TransactionCoordinator } from './transaction-coordinator.ts'

const defaultTimeoutMs = 10_000

export interface EmbeddedTransactionalProducerOptions extends TransactionalOptions {
  readonly clock: Clock
  readonly topics: TopicRegistry
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly faults: EmbeddedBrokerFaults | undefined
}

export class EmbeddedTransactionalProducer implements TransactionalProducer {
  readonly transactionalId: string
  readonly forgetsProduced = false
  readonly #options: EmbeddedTransactionalProducerOptions
  #identity: ProducerIdentity | undefined
  #state: 'new' | 'ready' | 'open' | 'failed' | 'lost' | 'closed' = 'new'
  #failure: unknown

  constructor(options: EmbeddedTransactionalProducerOptions) {
    this.#options = options
    this.transactionalId = options.transactionalId
  }

  async init(): Promise<void> {
    const { transactions, transactionTimeoutMs = defaultTimeoutMs } = this.#options
    this.#expect('init', 'new', 'ready', 'open', 'failed', 'lost')
    this.#state = 'new'
    this.#identity = await this.#faulty('initProducer', () =>
      transactions.init(this.transactionalId, transactionTimeoutMs),
    )
    this.#state = 'ready'
  }

  begin(): void {
    this.#expect('begin', 'ready')
    this.#options.faults?.runSync('beginTransaction')
    this.#state = 'open'
    this.#failure = undefined
  }

  produce(batches: readonly ProduceBatch[]): Promise<readonly ProducedBatch[]> {
    return this.#sending('produce', () => this.#produce(batches))
  }

  sendOffsets(offsets: readonly CommittedOffset[], group: GroupMetadata): Promise<void> {
    const { groups, topics, transactions } = this.#options
    return this.#sending('sendOffsets', async () => {
      transactions.check(this.transactionalId, this.#identity!)
      groups.check(group)
      for (const offset of offsets) topics.log(offset)
      const { groupId } = group
      await transactions.addOffsets(this.transactionalId, this.#identity!, { groupId, offsets })
    })
  }

  async commit(): Promise<void> {
    if (this.#state === 'failed') throw this.#failure
    this.#expect('commit', 'open')
    await this.#end('commit')
  }

  async abort(): Promise<void> {
    this.#expect('abort', 'open', 'failed')
    await this.#end('abort')
  }

  async close(): Promise<void> {
    this.#state = 'closed'
  }

  async #produce(batches: readonly ProduceBatch[]): Promise<readonly ProducedBatch[]> {
    const { faults, topics, transactions } = this.#options
    transactions.check(this.transactionalId, this.#identity!)
    const targets = checkedTargets(batches, topics)
    if (transactions.isEnding(this.transactionalId) && faults?.refusesWhileEnding() === true) {
      throw new BrokerError(
        'BROKER_CONCURRENT_TRANSACTIONS',
        `the last transaction of ${this.transactionalId} is still ending`,
      )
    }
    const ranges = await transactions.append(this.transactionalId, this.#identity!, targets)
    return targets.map(({ log }, index) => producedBatch(log, ranges[index]!))
  }

  /** Two of these may be in flight together; the first failure of either is kept. */
  async #sending<T>(operation: 'produce' | 'sendOffsets', effect: () => Promise<T>): Promise<T> {
    this.#expect(operation, 'open', 'failed')
    try {
      return await this.#faulty(operation, effect)
    } catch (error) {
      if (mustNotBeRepeated(error) && this.#state === 'open') {
        this.#state = 'failed'
        this.#failure = error
      }
      throw error
    }
  }

  async #end(decision: 'commit' | 'abort'): Promise<void> {
    const { transactions } = this.#options
    try {
      await this.#faulty(decision, () =>
        transactions.end(this.transactionalId, this.#identity!, decision),
      )
    } catch (error) {
      if (mustNotBeRepeated(error) && this.#state !== 'closed') this.#state = 'lost'
      throw error
    }
    if (this.#state !== 'closed') this.#state = 'ready'
  }

  #faulty<T>(operation: FaultOperation, effect: () => Promise<T>): Promise<T> {
    const { faults, clock } = this.#options
    return faults === undefined ? effect() : faults.run(operation, clock, effect)
  }

  #expect(call: string, ...states: readonly string[]): void {
    if (states.includes(this.#state)) return
    if (this.#state === 'closed') throw new BrokerError('BROKER_CLOSED', 'the producer is closed')
    throw new BrokerError(
      'BROKER_INVALID_REQUEST',
      `${call}: producer ${this.transactionalId} is ${this.#state}, not ${states.join(' or ')}`,
    )
  }
}

const mustNotBeRepeated = (error: unknown): boolean =>
  !(error instanceof BrokerError && error.action === 'retry')
