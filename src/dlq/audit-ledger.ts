/**
 * What became of each dead letter, folded from the audit topic: the only source of a status.
 *
 * Kept by the desk and by the metric of open letters, which catch up before they answer.
 * 1. A letter without an entry is open. 2. Edits leave it open; a replay or a discard settles it.
 * 3. Entries of letters that belong to an earlier topic of the same name say nothing. 4. About 200
 * bytes of memory per settled letter, and the value of every edited one that is still open.
 */

import type { Broker, TopicPartition } from '../broker/port.ts'
import { readCommitted } from '../broker/read-committed.ts'
import { type AuditEntry, auditTopicName, decodeAuditEntry } from './audit-entry.ts'
import type { LetterStatus } from './letter-selection.ts'
import { payloadBytes } from './payload.ts'

export interface LetterState {
  readonly status: LetterStatus
  /** The value of the last edit; dropped when the letter is settled. */
  readonly amendment: Uint8Array | undefined
  readonly isEdited: boolean
}

const untouched: LetterState = { status: 'open', amendment: undefined, isEdited: false }

/** How long entries may stay unstable behind a transaction that has ended, in ms. */
const stableWaitMs = 30_000

export class AuditLedger {
  readonly place: TopicPartition
  readonly topicId: string
  readonly #broker: Broker
  readonly #states = new Map<string, LetterState>()
  readonly #onSettled: (id: string) => void
  #position = 0n

  /**
   * @param topic      of the dead letters, as it is now
   * @param onSettled  told of each letter that is replayed or discarded, when that is read
   */
  constructor(
    broker: Broker,
    topic: { readonly name: string; readonly topicId: string },
    onSettled: (id: string) => void = () => {},
  ) {
    this.#broker = broker
    this.#onSettled = onSettled
    this.topicId = topic.topicId
    this.place = { topic: auditTopicName(topic.name), partition: 0 }
  }

  stateOf(id: string): LetterState {
    return this.#states.get(id) ?? untouched
  }

  /** Reads what is committed by now; nothing if there is no audit yet. */
  async catchUp(): Promise<void> {
    if (!(await this.#exists())) return
    const { lastStableOffset } = await this.#broker.topics.offsets(this.place)
    await this.#readTo(lastStableOffset)
  }

  /**
   * Reads everything that was written by now, and waits for what is still becoming stable: call it
   * when no other writer is left.
   *
   * @throws {Error} it does not become stable
   */
  async catchUpFully(): Promise<void> {
    const { highWatermark } = await this.#broker.topics.offsets(this.place)
    await this.#readTo(highWatermark, stableWaitMs)
  }

  async #exists(): Promise<boolean> {
    const { topic } = this.place
    return (await this.#broker.topics.describe([topic])).has(topic)
  }

  async #readTo(to: bigint, waitMs = 0): Promise<void> {
    const range = { ...this.place, from: this.#position, to, waitMs }
    for await (const { offset, record } of readCommitted(this.#broker, range)) {
      this.#apply(decodeAuditEntry(record.value))
      this.#position = offset + 1n
    }
    if (waitMs > 0) this.#position = to
  }

  #apply(entry: AuditEntry): void {
    if (entry.topicId !== this.topicId) return
    const { isEdited } = this.stateOf(entry.letter)
    switch (entry.what) {
      case 'edited': {
        const amendment = payloadBytes(entry.value)
        this.#states.set(entry.letter, { status: 'open', amendment, isEdited: true })
        break
      }
      case 'replayed':
      case 'discarded':
        this.#states.set(entry.letter, { status: entry.what, amendment: undefined, isEdited })
        this.#onSettled(entry.letter)
        break
    }
  }
}
