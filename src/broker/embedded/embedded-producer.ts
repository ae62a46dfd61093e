/**
 * Producer without transactions: each call is appended at once and answered when durable.
 *
 * Made by `EmbeddedBroker.producer`. Nothing can be lost on the way within one process, so there
 * are no sequence numbers: a send that failed before its effect may be repeated.
 */

import type { Clock } from '../../clock.ts'
import { BrokerError } from '../errors.ts'
import type { ProduceBatch, ProducedBatch, Producer } from '../port.ts'
import type { EmbeddedBrokerFaults } from './faults.ts'
import type { Journal } from './journal.ts'
import { noIdentity, type AppendedRange, type PartitionLog } from './partition-log.ts'
import { checkRecords } from './record-limits.ts'
import type { TopicRegistry } from './topic-registry.ts'
import type { AppendTo } from './transaction-coordinator.ts'

export interface EmbeddedProducerOptions {
  readonly clock: Clock
  readonly journal: Journal
  readonly topics: TopicRegistry
  readonly faults: EmbeddedBrokerFaults | undefined
}

export class EmbeddedProducer implements Producer {
  readonly #options: EmbeddedProducerOptions
  #isClosed = false

  constructor(options: EmbeddedProducerOptions) {
    this.#options = options
  }

  async send(batches: readonly ProduceBatch[]): Promise<readonly ProducedBatch[]> {
    const { faults, clock } = this.#options
    if (this.#isClosed) throw new BrokerError('BROKER_CLOSED', 'the producer is closed')
    if (faults === undefined) return this.#send(batches)
    return faults.run('produce', clock, () => this.#send(batches))
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  async #send(batches: readonly ProduceBatch[]): Promise<readonly ProducedBatch[]> {
    const { clock, journal, topics } = this.#options
    const targets = checkedTargets(batches, topics)
    const nowMs = clock.monotonicMs()
    const ranges = targets.map(({ log, batch }) => log.append(batch, noIdentity, nowMs))
    await journal.durable()
    return targets.map(({ log }, index) => producedBatch(log, ranges[index]!))
  }
}

/** @throws {BrokerError} before anything is appended */
export const checkedTargets = (
  batches: readonly ProduceBatch[],
  topics: TopicRegistry,
): readonly AppendTo[] => {
  const targets = batches.map((batch) => ({ log: topics.log(batch), batch }))
  for (const { log, batch } of targets) checkRecords(batch, log)
  return targets
}

export const producedBatch = (log: PartitionLog, range: AppendedRange): ProducedBatch => ({
  topic: log.topic,
  partition: log.partition,
  baseOffset: BigInt(range.baseOffset),
  nextOffset: BigInt(range.nextOffset),
  leaderEpoch: log.leaderEpoch,
})
