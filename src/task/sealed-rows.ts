/**
 * The writes of one store since the last seal, packed as the records of its changelog.
 *
 * Called by the task at each seal. Packed once: the changelog takes the bytes as they are, and the
 * store's own batch is made from them when the transaction has ended; `rowsApplied` follows it.
 */

import { PackedRecords } from '../broker/records/packed-records.ts'
import { RuntimeError } from '../errors/classes.ts'
import type { TaskStore } from './task-store.ts'

/** Below what topics take by default; for one that takes less the adapter batches anew. */
const segmentBytesMax = 1_000_000

/**
 * @throws {RuntimeError} STREAMS_HANDLER_FAILED: the serde of the store refuses a value. Stop: many
 *                        records may have made it, and a store without it would be wrong
 */
export const sealedRows = ({ store, slots, head }: TaskStore, nowMs: number): PackedRecords => {
  const rows = new PackedRecords({ segmentBytesMax, expectedBytes: head.sealedBytes })
  try {
    slots.sealTo((key, value) => {
      rows.appendRow(nowMs, key, value ?? null)
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new RuntimeError(
      'STREAMS_HANDLER_FAILED',
      `store ${store.name}: a value cannot be encoded: ${reason}; mend the serde, or `
        + 'check the value before it is stored',
      cause,
    )
  }
  head.sealedBytes = rows.sizeBytes
  return rows
}

/** The store has all that was sealed last. */
export const rowsApplied = ({ slots, head }: TaskStore): void => {
  head.moved()
  slots.applied()
}
