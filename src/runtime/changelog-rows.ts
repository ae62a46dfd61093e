/**
 * What a changelog partition brought since the last write: of each key the newest row, in order.
 *
 * Filled from fetched batches by restores and by the view of changelogs, emptied into the batch of
 * the local store. 1. Of several records of one key the last stays. 2. Rows come in the order of
 * their keys: the engine takes them for two thirds of the CPU. 3. The buffers of the fetches live
 * until `moveTo`: whoever fills this bounds `sizeBytes`.
 */

import { latin1FromBytes } from '../../state/key-layout.ts'
import type { WriteBatch } from '../../state/write-batch.ts'
import type { RawBatch, RawRecord } from '../broker/port.ts'
import { RecordView } from '../broker/records/record-view.ts'

const decodedAtOnce = 1_000

export class ChangelogRows {
  readonly #newest = new Map<string, RawRecord>()
  readonly #batches: RawBatch[] = []
  #recordCount = 0
  #sizeBytes = 0

  /** Records since the last `moveTo`; more than rows, where keys repeat. */
  get recordCount(): number {
    return this.#recordCount
  }

  /** Of these records, undecoded. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  add(batch: RawBatch): void {
    const newest = this.#newest
    this.#sizeBytes += batch.sizeBytes
    this.#batches.push(batch)
    for (const records of decoded(batch)) {
      this.#recordCount += records.length
      for (const record of records) {
        const key = keyOf(record)
        if (key !== undefined) newest.set(key, record)
      }
    }
  }

  /** @param prefix  namespace of the store */
  moveTo(writes: WriteBatch, prefix: Uint8Array): void {
    const newest = this.#newest
    for (const key of [...newest.keys()].sort()) write(writes, prefix, newest.get(key)!)
    newest.clear()
    for (const batch of this.#batches.splice(0)) batch.release?.()
    this.#recordCount = 0
    this.#sizeBytes = 0
  }
}

const decoded = function* (batch: RawBatch): Generator<readonly RawRecord[]> {
  const cursor = batch.recordCount === undefined ? undefined : batch.cursor?.()
  if (cursor === undefined) return yield batch.records
  for (;;) {
    const records = cursor.next(decodedAtOnce)
    if (records.length === 0) return
    yield records
  }
}

/** The key's bytes as latin1: sorts as they do. */
const keyOf = (record: RawRecord): string | undefined => {
  if (record instanceof RecordView) {
    const { buffer, keyStart, keyEnd } = record
    return keyEnd < keyStart ? undefined : buffer.toString('latin1', keyStart, keyEnd)
  }
  return record.key === null ? undefined : latin1FromBytes(record.key)
}

const write = (writes: WriteBatch, prefix: Uint8Array, record: RawRecord): void => {
  if (record instanceof RecordView) {
    const { buffer, keyStart, keyEnd, valueStart, valueEnd } = record
    if (valueEnd >= valueStart) {
      return writes.putFrom(prefix, buffer, keyStart, keyEnd, valueStart, valueEnd)
    }
  } else if (record.value !== null) return writes.put(prefix, record.key!, record.value)
  writes.delete(prefix, record.key!)
}
