/**
 * Sends record batches to the leaders of their partitions: the common part of both producers.
 *
 * ```
 *   send ──► check, encode ──► queue per partition ──► one request per leader ──► settled
 *                                   ▲                        │
 *                                   └── the same bytes ◄── again, other leader, lost answer
 * ```
 * 1. Calls are admitted in their order; records of a partition stay in it. 2. Everything of a call
 * is checked before any of it is queued. 3. A call settles when nothing of it is on its way any
 * more, so that a transaction may end behind it. 4. When one batch of a call fails, what was not
 * sent of it is dropped.
 */

import type { Connection } from '@platformatic/kafka'
import { BrokerError } from '../errors.ts'
import type { ProduceBatch, ProducedBatch } from '../port.ts'
import { isWithin } from '../records/packed-batch.ts'
import type { Cluster } from './cluster.ts'
import { brokerErrorOf, connectionErrorOf, kafkaCodes, kafkaFailure, noError } from './errors.ts'
import { PartitionQueue, type QueuedBatch, QueuedSend } from './partition-queue.ts'
import type { ProducerIdentity } from './producer-identity.ts'
import type { Produce, ProduceAnswer, ProduceTopic } from './protocol/produce.ts'
import { call } from './protocol/call.ts'
import { checkRecords, tooLarge } from './record-checks.ts'
import type { Compression } from './records/compression.ts'
import { aloneBytes, batchOfSegment, encodeBatches, type EncodedBatch } from './records/encode.ts'
import type { TopicConfigs, TopicLimits } from './topic-configs.ts'

export interface BatchSenderOptions {
  readonly cluster: Cluster
  readonly configs: TopicConfigs
  readonly compression: Compression
  /** Null without transactions. */
  readonly transactionalId: string | null
  /** Of the connections; unique within the client. */
  readonly purpose: string
  /** The request of the version to speak. */
  produce(): Produce
  /** Called with what was checked, before any of it is queued; the next call waits for it. */
  join?(batches: readonly ProduceBatch[]): Promise<void>
  /** The owner at the time a batch is sealed. */
  identity(): ProducerIdentity
  /** Sequence numbers were used up in vain: the identity cannot go on. */
  onGap(identity: ProducerIdentity): void
}

/** Of one batch, unless the topic takes less. */
const batchBytesMax = 1_000_000
/** How long replicas may take, in ms; below the time-out of requests. */
const replicaTimeoutMs = 10_000
/** Limits of so long ago, in ms, may refuse a record. */
const presentMs = 1_000
const retryFirstMs = 1
const retryMostMs = 200

export class BatchSender {
  readonly #options: BatchSenderOptions
  readonly #queues = new Map<string, PartitionQueue>()
  #admission: Promise<unknown> = Promise.resolve()
  #isPumpDue = false

  constructor(options: BatchSenderOptions) {
    this.#options = options
  }

  /** @throws {BrokerError} of the first batch that failed, when all have settled */
  async send(batches: readonly ProduceBatch[]): Promise<readonly ProducedBatch[]> {
    const admitted = this.#admission.then(() => this.#admit(batches))
    this.#admission = admitted.catch(() => {})
    const sends = await admitted
    const results = await Promise.allSettled(sends.map(({ settled }) => settled))
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
  }

  /** Drops the connections; what is queued fails. */
  close(): void {
    this.cancel(new BrokerError('BROKER_CLOSED', 'the producer is closed'))
    this.#options.cluster.connections.drop(this.#options.purpose)
  }

  /** What is not on its way is dropped, what is will not be repeated. */
  cancel(error: BrokerError): void {
    for (const queue of this.#queues.values()) {
      const dropped = queue.waiting.splice(queue.isBusy ? 1 : 0)
      const busy = queue.waiting[0]
      if (busy !== undefined) busy.attempts = Infinity
      for (const { send } of dropped) {
        if (send === busy?.send) send.dropRest(error)
        else send.fail(error)
      }
    }
  }

  async #admit(batches: readonly ProduceBatch[]): Promise<readonly QueuedSend[]> {
    const { cluster, compression, identity, join } = this.#options
    const limits = await Promise.all(batches.map((batch) => this.#checkedLimits(batch)))
    const leaders = await Promise.all(batches.map((batch) => cluster.leader(batch)))
    await join?.(batches)
    const deadlineMs = cluster.clock.monotonicMs() + cluster.retryTimeoutMs
    const sends = batches.map((batch, index) => {
      const encoded = encodedBatches(batch, limits[index]!, compression)
      const send = new QueuedSend(batch, encoded.length)
      const queue = this.#queueOf(batch)
      // its epoch goes into positions: an old one would look as if the log had been cut
      if (!queue.isBusy) queue.leader = leaders[index]!
      queue.waiting.push(
        ...encoded.map((part): QueuedBatch => ({
          send,
          encoded: part,
          identity,
          deadlineMs,
          sealed: undefined,
          sealedBy: undefined,
          attempts: 0,
          isUncertain: false,
        })),
      )
      return send
    })
    this.#pumpSoon()
    return sends
  }

  /** Limits are kept a while: what breaks them is refused by those of now only. */
  async #checkedLimits(batch: ProduceBatch): Promise<TopicLimits> {
    const { configs } = this.#options
    const kept = await configs.limits(batch.topic)
    if (isWithin(batch, kept)) return kept
    try {
      checkRecords(batch, kept)
      return kept
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'BROKER_RECORD_TOO_LARGE') throw error
    }
    const present = await configs.limits(batch.topic, presentMs)
    checkRecords(batch, present)
    return present
  }

  #queueOf(batch: ProduceBatch): PartitionQueue {
    const key = `${batch.topic}:${batch.partition}`
    let queue = this.#queues.get(key)
    if (queue === undefined) this.#queues.set(key, (queue = new PartitionQueue(batch)))
    return queue
  }

  /** Calls of one turn travel together. */
  #pumpSoon(): void {
    if (this.#isPumpDue) return
    this.#isPumpDue = true
    queueMicrotask(() => {
      this.#isPumpDue = false
      void this.#pump()
    })
  }

  async #pump(): Promise<void> {
    const nowMs = this.#options.cluster.clock.monotonicMs()
    const due = [...this.#queues.values()].filter(
      (queue) => !queue.isBusy && queue.retryAtMs <= nowMs && queue.head() !== undefined,
    )
    for (const queue of due) queue.isBusy = true
    await Promise.all(due.map((queue) => this.#findLeader(queue)))
    const byNode = Map.groupBy(
      due.filter(({ leader }) => leader !== undefined),
      ({ leader }) => `${leader!.node.host}:${leader!.node.port}`,
    )
    for (const queues of byNode.values()) void this.#exchange(queues)
  }

  async #findLeader(queue: PartitionQueue): Promise<void> {
    try {
      queue.leader ??= await this.#options.cluster.leader(queue)
    } catch (error) {
      this.#lost(queue, connectionErrorOf(error, 'produce'), false)
    }
  }

  async #exchange(queues: readonly PartitionQueue[]): Promise<void> {
    const { cluster, purpose } = this.#options
    let isSent = false
    try {
      const connection = await cluster.connections.get(purpose, queues[0]!.leader!.node)
      const topics = topicsOf(queues)
      isSent = true
      const answers = await this.#ask(connection, topics)
      for (const queue of queues) this.#answered(queue, answerOf(answers, queue))
    } catch (error) {
      const failure = connectionErrorOf(error, 'produce')
      for (const queue of queues) {
        cluster.forgetTopic(queue.topic)
        this.#lost(queue, failure, isSent)
      }
    }
    this.#pumpSoon()
  }

  #ask(connection: Connection, topics: readonly ProduceTopic[]): Promise<readonly ProduceAnswer[]> {
    const { transactionalId, produce } = this.#options
    return call(produce(), connection, { transactionalId, timeoutMs: replicaTimeoutMs, topics })
  }

  #answered(queue: PartitionQueue, answer: ProduceAnswer | undefined): void {
    const head = queue.waiting[0]!
    const errorCode = answer?.errorCode ?? kafkaCodes.unknownTopic
    const baseOffset = answer?.baseOffset ?? -1n
    const isKept =
      errorCode === noError || (errorCode === kafkaCodes.duplicateSequence && baseOffset >= 0n)
    queue.isBusy = false
    if (isKept) {
      queue.waiting.shift()
      const { leader } = queue
      head.send.acknowledged(baseOffset, head.encoded.recordCount, leader?.leaderEpoch ?? -1)
      return
    }
    const { handling } = kafkaFailure(errorCode)
    const failure = this.#failureOf(head, errorCode, answer)
    if (handling === 'fail') return this.#fail(queue, failure)
    if (handling === 'metadata') this.#moved(queue)
    this.#again(queue, failure)
  }

  /** No answer: what is sent again is recognised, if the broker has it already. */
  #lost(queue: PartitionQueue, failure: BrokerError, isSent: boolean): void {
    queue.isBusy = false
    const head = queue.waiting[0]
    if (head === undefined) return
    if (isSent) head.isUncertain = true
    queue.leader = undefined
    if (failure.action === 'retry') this.#again(queue, failure)
    else this.#fail(queue, failure)
    this.#pumpSoon()
  }

  #moved(queue: PartitionQueue): void {
    queue.leader = undefined
    this.#options.cluster.forgetTopic(queue.topic)
  }

  #again(queue: PartitionQueue, failure: BrokerError): void {
    const { clock } = this.#options.cluster
    const head = queue.waiting[0]!
    const nowMs = clock.monotonicMs()
    head.attempts += 1
    if (nowMs >= head.deadlineMs || head.attempts === Infinity) return this.#fail(queue, failure)
    const delayMs = Math.min(retryMostMs, retryFirstMs * 2 ** Math.min(head.attempts, 10))
    queue.retryAtMs = nowMs + delayMs
    clock.setTimer(delayMs + 1, () => this.#pumpSoon())
  }

  #fail(queue: PartitionQueue, failure: BrokerError): void {
    const head = queue.waiting.shift()!
    const { topic, partition } = queue
    if (head.sealedBy !== undefined) this.#options.onGap(head.sealedBy)
    const isGuess = head.isUncertain && failure.action === 'retry'
    head.send.fail(isGuess ? unknownOutcome(failure, { topic, partition }) : failure)
  }

  #failureOf(
    { send: { batch }, encoded }: QueuedBatch,
    errorCode: number,
    answer: ProduceAnswer | undefined,
  ): BrokerError {
    const { topic, partition } = batch
    const doing = `produce to ${topic}-${partition}`
    if (errorCode === kafkaCodes.messageTooLarge) return this.#tooLarge(batch)
    const refused = answer?.recordErrors[0]
    const message = refused?.message ?? answer?.message
    return brokerErrorOf(
      errorCode,
      doing,
      refused === undefined
        ? { topic, partition }
        : { topic, partition, recordIndex: encoded.firstIndex + refused.index },
      message,
    )
  }

  /** The limit was lowered since it was read: the largest record is to blame, or none alone. */
  #tooLarge(batch: ProduceBatch): BrokerError {
    const { topic, partition, records } = batch
    this.#options.configs.forget(topic)
    if (records.length > 1) {
      return new BrokerError(
        'BROKER_UNKNOWN_OUTCOME',
        `produce to ${topic}-${partition}: the `
          + 'limit of the topic was lowered; it is read anew',
        { topic, partition },
      )
    }
    return tooLarge(batch, 0, aloneBytes(records[0]!) - 1)
  }
}

/** What was packed travels as it is, unless the topic takes only smaller batches. */
const encodedBatches = (
  batch: ProduceBatch,
  limits: TopicLimits,
  compression: Compression,
): readonly EncodedBatch[] => {
  if (!isWithin(batch, limits)) {
    return encodeBatches(batch.records, {
      compression,
      batchBytesMax: Math.min(batchBytesMax, limits.maxMessageBytes),
    })
  }
  const encoded: EncodedBatch[] = []
  let firstIndex = 0
  for (const part of batch.parts) {
    for (const segment of part.segments()) {
      const at = { ...segment, firstIndex: firstIndex + segment.firstIndex }
      encoded.push(batchOfSegment(at, compression))
    }
    firstIndex += part.recordCount
  }
  return encoded
}

const topicsOf = (queues: readonly PartitionQueue[]): readonly ProduceTopic[] =>
  [...Map.groupBy(queues, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map((queue) => ({
      partition: queue.partition,
      batch: sealed(queue, queue.waiting[0]!),
    })),
  }))

const sealed = (queue: PartitionQueue, batch: QueuedBatch): Buffer => {
  if (batch.sealed !== undefined) return batch.sealed
  const identity = batch.identity()
  const sequence = identity.takeSequences(queue, batch.encoded.recordCount)
  batch.sealedBy = identity
  batch.sealed = batch.encoded.seal(identity, sequence)
  return batch.sealed
}

const answerOf = (
  answers: readonly ProduceAnswer[],
  { topic, partition }: PartitionQueue,
): ProduceAnswer | undefined =>
  answers.find((answer) => answer.topic === topic && answer.partition === partition)

const unknownOutcome = (
  cause: BrokerError,
  details: { readonly topic: string; readonly partition: number },
): BrokerError =>
  new BrokerError(
    'BROKER_UNKNOWN_OUTCOME',
    `produce to ${details.topic}-${details.partition}: no answer; it may be kept: ${cause.message}`,
    { ...details, cause },
  )
