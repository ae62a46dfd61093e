/**
 * How many dead letters are open, by topic and class: what an alert watches.
 *
 * Asked at each scrape of `/metrics`. 1. The first call reads the whole topic and its audit, later
 * ones what came since; about 100 bytes of memory per open letter. 2. A broker that is slow or away
 * does not hold up the scrape: it gets what was known last.
 */

import type { Broker } from '../broker/port.ts'
import { readCommitted } from '../broker/read-committed.ts'
import type { Logger } from '../logger.ts'
import { DeadLetterTally, type DeadLetterCount } from '../task/dead-letter-tally.ts'
import { AuditLedger } from './audit-ledger.ts'
import { type DeadLetter, deadLetterOf } from './dead-letter.ts'
import { parseLetterId } from './letter-id.ts'

type Label = Omit<DeadLetterCount, 'count'>

export interface OpenLettersOptions {
  readonly broker: Broker
  /** Of the dead letters. */
  readonly topic: string
  readonly logger: Logger
}

interface OpenPartition {
  position: bigint
  /** By offset, in their order. */
  readonly open: Map<bigint, Label>
}

export class OpenLetters {
  readonly #broker: Broker
  readonly #topic: string
  #partitions: OpenPartition[] = []
  #ledger: AuditLedger | undefined
  readonly #logger: Logger
  #refreshing: Promise<void> | undefined
  /** Told once: the same at every scrape would fill the log. */
  #toldFailure = ''

  constructor({ broker, topic, logger }: OpenLettersOptions) {
    this.#broker = broker
    this.#topic = topic
    this.#logger = logger
  }

  /**
   * As of now, or as last known if that takes longer.
   *
   * @param withinMs  how long to wait for the broker
   */
  async counts(withinMs: number): Promise<readonly DeadLetterCount[]> {
    this.#refreshing ??= this.#refresh()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => (this.#refreshing = undefined))
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(late.resolve, withinMs)
    await Promise.race([this.#refreshing, late.promise])
    clearTimeout(timer)
    const tally = new DeadLetterTally()
    for (const { open } of this.#partitions) {
      for (const { topic, failureClass } of open.values()) tally.add(topic, failureClass)
    }
    return tally.counts()
  }

  /** The next scrape asks again. */
  #failed(error: unknown): void {
    const { message } = error as Error
    if (message !== this.#toldFailure) {
      this.#logger.warn({ reason: message }, 'open dead letters cannot be counted for /metrics')
    }
    this.#toldFailure = message
  }

  async #refresh(): Promise<void> {
    const topic = (await this.#broker.topics.describe([this.#topic])).get(this.#topic)
    if (topic === undefined) return
    if (this.#ledger?.topicId !== topic.topicId) {
      this.#partitions = []
      this.#ledger = new AuditLedger(this.#broker, topic, (id) => this.#settled(id))
    }
    for (let partition = 0; partition < topic.partitions; partition++) {
      await this.#readPartition(partition, this.#ledger)
    }
    await this.#ledger.catchUp()
  }

  async #readPartition(partition: number, ledger: AuditLedger): Promise<void> {
    const known = (this.#partitions[partition] ??= { position: 0n, open: new Map() })
    const at = { topic: this.#topic, partition }
    const { logStartOffset, lastStableOffset: to } = await this.#broker.topics.offsets(at)
    for (const offset of known.open.keys()) {
      if (offset >= logStartOffset) break
      known.open.delete(offset)
    }
    const range = { ...at, from: known.position, to }
    for await (const { offset, record } of readCommitted(this.#broker, range)) {
      const letter = deadLetterOf(this.#topic, { partition, offset }, record)
      // its entry may have been read before it
      if (ledger.stateOf(letter.id).status === 'open') known.open.set(offset, labelOf(letter))
      known.position = offset + 1n
    }
  }

  #settled(id: string): void {
    const place = parseLetterId(this.#topic, id)
    if (place !== undefined) this.#partitions[place.partition]?.open.delete(place.offset)
  }
}

const labelOf = ({ source, failureClass }: DeadLetter): Label => ({
  topic: source?.topic ?? 'unknown',
  failureClass,
})
