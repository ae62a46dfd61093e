/**
 * Idempotent producer without transactions: commands from HTTP, loaders.
 *
 * Made by `KafkaBroker.producer`. 1. Retries never write a record twice. 2. When a batch is given
 * up, its sequence numbers are spent: the next batches are written under a new producer id.
 */

import { BrokerError } from '../errors.ts'
import type { ProduceBatch, ProducedBatch, Producer } from '../port.ts'
import { BatchSender, type BatchSenderOptions } from './batch-sender.ts'
import type { Cluster } from './cluster.ts'
import { brokerErrorOf, kafkaFailure, noError } from './errors.ts'
import { ProducerIdentity } from './producer-identity.ts'
import { initProducerId } from './protocol/init-producer-id.ts'
import { produceV9 } from './protocol/produce.ts'

type SenderParts = Pick<BatchSenderOptions, 'cluster' | 'configs' | 'compression' | 'purpose'>

export interface KafkaProducerOptions extends SenderParts {
  onClose?(producer: KafkaProducer): void
}

export class KafkaProducer implements Producer {
  readonly #cluster: Cluster
  readonly #sender: BatchSender
  readonly #onClose: (producer: KafkaProducer) => void
  #identity: ProducerIdentity | undefined
  #initialising: Promise<ProducerIdentity> | undefined
  #isClosed = false

  constructor(options: KafkaProducerOptions) {
    this.#cluster = options.cluster
    this.#onClose = options.onClose ?? (() => {})
    this.#sender = new BatchSender({
      ...options,
      transactionalId: null,
      produce: () => produceV9,
      identity: () => this.#current(),
      onGap: (identity) => {
        if (this.#identity === identity) this.#renew()
      },
    })
  }

  async send(batches: readonly ProduceBatch[]): Promise<readonly ProducedBatch[]> {
    if (this.#isClosed) throw new BrokerError('BROKER_CLOSED', 'the producer is closed')
    if (this.#identity === undefined) await this.#initialise()
    return this.#sender.send(batches)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#sender.close()
    this.#onClose(this)
  }

  /** Batches that are queued already wait for it too. */
  #renew(): void {
    this.#identity = undefined
    if (!this.#isClosed) this.#initialise().catch(() => {})
  }

  /** Calls that wait here together go on in their order. */
  #initialise(): Promise<ProducerIdentity> {
    this.#initialising ??= this.#init().finally(() => {
      this.#initialising = undefined
    })
    return this.#initialising
  }

  async #init(): Promise<ProducerIdentity> {
    const backoff = this.#cluster.backoff()
    for (;;) {
      const { errorCode, producerId, epoch } = await this.#cluster.ask(initProducerId, {
        transactionalId: null,
        transactionTimeoutMs: 0,
      })
      if (errorCode === noError) {
        this.#identity = new ProducerIdentity(producerId, epoch, false)
        return this.#identity
      }
      const failure = brokerErrorOf(errorCode, 'producer id')
      if (kafkaFailure(errorCode).handling === 'fail') throw failure
      await backoff.pause(failure)
    }
  }

  #current(): ProducerIdentity {
    if (this.#identity !== undefined) return this.#identity
    throw new BrokerError('BROKER_UNAVAILABLE', 'the producer waits for a new producer id')
  }
}
