/**
 * What has joined the transaction that is open, by transactions v1: partitions and groups are told
 * to the coordinator before anything is sent to them.
 *
 * Kept by `KafkaTransactionalProducer`, unused with transactions v2. 1. One request at a time: the
 * coordinator refuses a second one while it writes the first. 2. A lost answer is asked for again:
 * joining twice is joining once. 3. While the markers of the last transaction are being written
 * the coordinator answers CONCURRENT_TRANSACTIONS: that is waited out.
 */

import type { Connection } from '@platformatic/kafka'
import type { TopicPartition } from '../port.ts'
import type { Cluster } from './cluster.ts'
import { brokerErrorOf, kafkaFailure, noError } from './errors.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import { addOffsetsToTxn } from './protocol/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from './protocol/add-partitions-to-txn.ts'
import { call } from './protocol/call.ts'

export interface TransactionJoinsOptions {
  readonly cluster: Cluster
  readonly transactionalId: string
  readonly purpose: string
}

interface Answer {
  readonly errorCode: number
  readonly refused?: TopicPartition
}

export class TransactionJoins {
  readonly #options: TransactionJoinsOptions
  readonly #partitions = new Set<string>()
  readonly #groups = new Set<string>()
  #last: Promise<unknown> = Promise.resolve()
  #wasAsked = false
  #isOpen = false

  constructor(options: TransactionJoinsOptions) {
    this.#options = options
  }

  /** The coordinator may know of a transaction. */
  get wasAsked(): boolean {
    return this.#wasAsked
  }

  /** The coordinator said so. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Of the next transaction nothing has joined yet. Nothing may be on its way. */
  clear(): void {
    this.#partitions.clear()
    this.#groups.clear()
    this.#wasAsked = false
    this.#isOpen = false
  }

  /** @throws {BrokerError} BROKER_PRODUCER_FENCED, BROKER_NOT_AUTHORIZED, BROKER_UNAVAILABLE */
  partitions(wanted: readonly TopicPartition[], owner: ProducerIdentity): Promise<void> {
    return this.#inTurn(async () => {
      const { transactionalId } = this.#options
      const missing = new Map(
        wanted.map(({ topic, partition }) => [nameOf({ topic, partition }), { topic, partition }]),
      )
      for (const name of this.#partitions) missing.delete(name)
      if (missing.size === 0) return
      const { producerId, epoch } = owner
      const request = { transactionalId, producerId, epoch, partitions: [...missing.values()] }
      await this.#ask(`transaction of ${transactionalId}`, (connection) =>
        call(addPartitionsToTxn, connection, request),
      )
      for (const name of missing.keys()) this.#partitions.add(name)
    })
  }

  /** @throws {BrokerError} as `partitions` */
  group(groupId: string, { producerId, epoch }: ProducerIdentity): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#groups.has(groupId)) return
      const { transactionalId } = this.#options
      const request = { transactionalId, producerId, epoch, groupId }
      await this.#ask(`offsets of group ${groupId} by ${transactionalId}`, (connection) =>
        call(addOffsetsToTxn, connection, request),
      )
      this.#groups.add(groupId)
    })
  }

  #inTurn(join: () => Promise<void>): Promise<void> {
    const joined = this.#last.then(join)
    this.#last = joined.catch(() => {})
    return joined
  }

  async #ask(doing: string, request: (connection: Connection) => Promise<Answer>): Promise<void> {
    const { cluster, transactionalId, purpose } = this.#options
    const backoff = cluster.backoff({ firstMs: 2, mostMs: 50 })
    this.#wasAsked = true
    for (;;) {
      const { errorCode, refused } = await cluster.askCoordinator({
        kind: 'transaction',
        key: transactionalId,
        purpose,
        doing,
        isRepeatable: true,
        request,
        errorCode: (answer) => answer.errorCode,
      })
      if (errorCode === noError) {
        this.#isOpen = true
        return
      }
      const what = refused === undefined ? doing : `${nameOf(refused)} in the ${doing}`
      const failure = brokerErrorOf(errorCode, what, refused ?? {})
      if (kafkaFailure(errorCode).handling === 'fail') throw failure
      await backoff.pause(failure)
    }
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`
