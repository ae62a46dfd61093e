/** The end of a customer's data keys: a note in the place of each. */

import type { DataKeyChanges, KeyRows } from './data-key-changes.ts'
import type { DataKeyTable } from './data-key-table.ts'

export interface ErasePlace {
  readonly table: DataKeyTable
  readonly changes: DataKeyChanges
}

/**
 * @returns  how many keys lived; 0: nothing was written
 * @throws  as `DataKeyChanges.change`
 */
export const eraseDataKeys = async (
  { table, changes }: ErasePlace,
  customerId: string,
): Promise<number> => {
  let destroyed = 0
  await changes.change((nowMs) => {
    const erasedAt = new Date(nowMs).toISOString()
    const notes: KeyRows = table
      .keysOf(customerId)
      .map((keyId) => [keyId, { customerId, erasedAt }] as const)
    destroyed = Math.max(destroyed, notes.length) // asked again, they may be written already
    // the last batch of a log takes no part in compaction: with one behind it, the notes do
    return [notes, notes]
  })
  return destroyed
}
