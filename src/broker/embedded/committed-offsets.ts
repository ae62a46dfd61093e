/**
 * Committed offsets of all groups, and those of transactions that have not ended yet.
 *
 * Written by `TransactionCoordinator` only; read by `GroupCoordinator.committedOffsets`.
 * 1. An offset sent in a transaction is *pending* until that transaction ended; a reader of the
 * partition waits for it (requireStable). 2. It becomes visible with the markers, not before.
 */

import type { Engine } from '../../../state/engine.ts'
import { BrokerError } from '../errors.ts'
import type { CommittedOffset, TopicPartition } from '../port.ts'
import type { Journal } from './journal.ts'
import { kindRange, namedKey, nameOfKey } from './rows.ts'

export interface GroupOffset extends CommittedOffset {
  readonly groupId: string
}

export class CommittedOffsets {
  readonly #journal: Journal
  readonly #visible = new Map<string, CommittedOffset>()
  /** Name of group and partition → transactions that carry an offset for it. */
  readonly #pending = new Map<string, number>()
  readonly #waiting = new Set<() => void>()
  #stopped = false

  constructor(journal: Journal) {
    this.#journal = journal
  }

  recover(engine: Engine): void {
    const cursor = engine.scan(kindRange('offset'))
    try {
      for (let rows = cursor.next(256); rows.length > 0; rows = cursor.next(256)) {
        for (const [key, value] of rows) this.#recoverRow(nameOfKey(key), Buffer.from(value))
      }
    } finally {
      cursor.close()
    }
  }

  addPending(offset: GroupOffset): void {
    const name = nameOf(offset.groupId, offset)
    this.#pending.set(name, (this.#pending.get(name) ?? 0) + 1)
  }

  /** The transaction ended: readers of these partitions need not wait for it any longer. */
  removePending(offsets: Iterable<GroupOffset>): void {
    for (const offset of offsets) {
      const name = nameOf(offset.groupId, offset)
      const left = (this.#pending.get(name) ?? 1) - 1
      if (left > 0) this.#pending.set(name, left)
      else this.#pending.delete(name)
    }
    this.#resumeAll()
  }

  /** Ends whoever waits with BROKER_CLOSED, or with the error of the disk. */
  stop(): void {
    this.#stopped = true
    this.#resumeAll()
  }

  /** Writes the offsets of a committed transaction; visible when they are durable. */
  commit(offsets: readonly GroupOffset[]): void {
    for (const { groupId, topic, partition, offset, metadata } of offsets) {
      const name = nameOf(groupId, { topic, partition })
      this.#journal.put(namedKey('offset', name), encodeValue(offset, metadata))
      this.#journal.onDurable(() => {
        this.#visible.set(name, { topic, partition, offset, metadata })
      })
    }
  }

  /** Waits while one of them is pending. Partitions without an offset are absent. */
  async read(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly CommittedOffset[]> {
    const names = partitions.map((partition) => nameOf(groupId, partition))
    while (names.some((name) => this.#pending.has(name))) {
      if (this.#stopped) await this.#journal.durable() // says why
      if (this.#stopped) throw new BrokerError('BROKER_CLOSED', 'the embedded broker is closed')
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
    return names.map((name) => this.#visible.get(name)).filter((found) => found !== undefined)
  }

  /** Offsets of a deleted topic must not be found by a new topic of that name. */
  forgetTopic(topic: string): void {
    for (const [name, offset] of this.#visible) {
      if (offset.topic !== topic) continue
      this.#visible.delete(name)
      this.#journal.delete(namedKey('offset', name))
    }
  }

  #resumeAll(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resume of waiting) resume()
  }

  #recoverRow(name: string, value: Buffer): void {
    const [, topic, partition] = name.split('\0')
    this.#visible.set(name, {
      topic: topic!,
      partition: Number(partition),
      offset: BigInt(value.readDoubleBE(0)),
      metadata: value.toString('utf8', 8),
    })
  }
}

const nameOf = (groupId: string, { topic, partition }: TopicPartition): string =>
  `${groupId}\0${topic}\0${partition}`

const encodeValue = (offset: bigint, metadata: string): Uint8Array => {
  const bytes = Buffer.alloc(8 + Buffer.byteLength(metadata))
  bytes.writeDoubleBE(Number(offset), 0)
  bytes.write(metadata, 8, 'utf8')
  return bytes
}
