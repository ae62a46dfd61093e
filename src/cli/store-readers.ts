/** Readers of a store straight over an engine, without tasks: one per task that has it. */

import type { Engine } from '../../state/engine.ts'
import { namespacePrefix } from '../../state/key-layout.ts'
import { Slots } from '../../state/slots.ts'
import { UndoLog } from '../../state/undo-log.ts'
import type { PartitionReader } from '../runtime/queries.ts'
import { refuseOtherVersions } from '../task/store-migration.ts'
import type { Store } from '../stores/store.ts'

export interface StoreReadersOptions {
  readonly engine: Engine
  readonly cachedSlotsMax: number
  /** Tasks by the name of the store they have, in the order of their partitions from 0. */
  readonly taskIds: ReadonlyMap<string, readonly string[]>
}

/** @throws {RuntimeError} STREAMS_STATE_MISMATCH: rows of another version of the store */
export const storeReaders = <Opened, Reader>(
  store: Store<Opened, Reader>,
  { engine, cachedSlotsMax, taskIds }: StoreReadersOptions,
): readonly PartitionReader<Reader>[] =>
  (taskIds.get(store.name) ?? []).map((taskId, partition) => {
    const prefix = namespacePrefix(taskId, store.name)
    refuseOtherVersions(store, engine, prefix)
    const { codec } = store
    const slots = new Slots({ engine, prefix, codec, undo: new UndoLog(), cachedSlotsMax })
    return { partition, reader: store.reader(slots) }
  })
