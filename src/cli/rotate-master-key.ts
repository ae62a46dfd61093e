/**
 * Puts every data key under another master key; sealed texts stay as they are.
 *
 * 1. Nothing is written while there is a key that neither master key wrapped. 2. A batch is one
 * transaction and holds all keys of its customers, so that which of them counts stays the same. 3.
 * What is done is seen by its fingerprint: killed at any instant, the same command goes on. 4. It
 * ends when no key is left under the old one, those that replicas made meanwhile included.
 */

import type { DataKeyChanges, KeyRows } from './data-key-changes.ts'
import { type DataKeyTable, isErased, type WrappedKey } from './data-key-table.ts'
import { RefusalError } from './failure.ts'
import type { MasterKey } from './master-key.ts'
import { rewrapped } from './wrapped-key.ts'

export interface Rotation {
  readonly table: DataKeyTable
  readonly changes: DataKeyChanges
  readonly from: MasterKey
  readonly to: MasterKey
  /** Told after each batch how many keys are done. */
  readonly onProgress?: (done: number) => void
}

/** Keys in one transaction; a customer has one as a rule. */
const batchKeys = 500

/**
 * @returns  how many keys were put under the new master key now
 * @throws {RefusalError} a key is under neither of the two: nothing was written
 * @throws {PersonalDataError} a key was changed on its topic
 * @throws {BrokerError} run it again: it goes on
 */
export const rotateMasterKey = async (rotation: Rotation): Promise<number> => {
  const { table, changes } = rotation
  let done = 0
  do {
    done += await changes.change(() => batchesOf(rotation))
    await table.refresh()
  } while (table.masters.has(rotation.from.fingerprint))
  return done
}

function* batchesOf({ table, from, to, onProgress }: Rotation): Generator<KeyRows> {
  const other = [...table.masters.keys()].find(
    (master) => master !== from.fingerprint && master !== to.fingerprint,
  )
  if (other !== undefined) {
    throw new RefusalError(
      `data keys are wrapped by master key ${other}, which is neither the new one `
        + `(${to.fingerprint}) nor the old one (${from.fingerprint}): nothing was changed`,
    )
  }
  let batch: (readonly [string, WrappedKey])[] = []
  let done = 0
  for (const keyIds of table.liveKeys()) {
    const rows = keyIds.map((keyId) => [keyId, table.row(keyId)!] as const)
    const living = rows.filter((row): row is readonly [string, WrappedKey] => !isErased(row[1]))
    // all of a customer, done or not: their order is that of their offsets
    if (!living.some(([, { master }]) => master === from.fingerprint)) continue
    for (const [keyId, row] of living) {
      const isDone = row.master === to.fingerprint
      batch.push([keyId, isDone ? row : rewrapped({ from, to }, keyId, row)])
    }
    if (batch.length < batchKeys) continue
    yield batch
    done += batch.length
    onProgress?.(done)
    batch = []
  }
  yield batch
}
