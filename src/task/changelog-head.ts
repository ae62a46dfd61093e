/**
 * Up to where the local store of one task has applied its changelog: the position, and its bytes.
 *
 * One per store and task, owned by the task manager. 1. `bytes` is what the engine holds now; a
 * commit expects exactly it and writes the next one in the same atomic batch, so two writers of one
 * store cannot both succeed. 2. It moves only after the batch that moves it was written.
 */

import { positionKey } from '../../state/key-layout.ts'
import { decodePosition, encodePosition, type Position } from '../../state/position.ts'
import type { WriteBatch } from '../../state/write-batch.ts'

const noPrefix = new Uint8Array(0)

/** What `stage` adds to a batch, at most: the key and the value twice, expected and next. */
export const positionBytes = 1_024

export interface ChangelogIdentity {
  readonly topic: string
  readonly partition: number
  readonly clusterId: string
  readonly topicId: string
}

export class ChangelogHead {
  /** Of the last generation's records: the next one is about as large. */
  sealedBytes = 4_096
  readonly identity: ChangelogIdentity
  readonly #key: Uint8Array
  #bytes: Uint8Array | undefined
  #next: Uint8Array | undefined
  #offset: bigint | undefined
  #nextOffset: bigint | undefined

  /** @param bytes  what the engine holds under the position's key */
  constructor(identity: ChangelogIdentity, bytes: Uint8Array | undefined) {
    this.identity = identity
    this.#key = positionKey(identity.topic, identity.partition)
    this.#bytes = bytes
    this.#offset = bytes === undefined ? undefined : decodePosition(bytes).offset
  }

  /** First offset of the changelog not applied yet; undefined if nothing ever was. */
  get offset(): bigint | undefined {
    return this.#offset
  }

  /** Adds the move to the batch that holds the rows. */
  stage(
    batch: WriteBatch,
    to: { readonly offset: bigint; readonly leaderEpoch: number; readonly appliedAtMs: number },
  ): void {
    const { clusterId, topicId } = this.identity
    const position: Position = { clusterId, topicId, ...to }
    const next = encodePosition(position)
    batch.expect(noPrefix, this.#key, this.#bytes)
    batch.put(noPrefix, this.#key, next)
    this.#next = next
    this.#nextOffset = to.offset
  }

  /** Adds the removal of the position: the rows are wiped, to be restored from the start. */
  forget(batch: WriteBatch): void {
    this.#next = undefined
    this.#nextOffset = undefined
    batch.delete(noPrefix, this.#key)
  }

  /** The batch is written. */
  moved(): void {
    this.#bytes = this.#next
    this.#offset = this.#nextOffset
  }
}
