/** Readers of a store straight over an engine, without tasks: one per task that has it. */

import { type Engine } from '../../state/engine.ts'
import { namespacePrefix } from '../../state/key-layout.ts'
import { Slots } from '../../state/slots.ts'
import { UndoLog } from '../../state/undo-log.ts'
import { type PartitionReader } from '../runtime/queries.ts'
import { type Store } from '../stores/store.ts'

export interface StoreReadersOptions {
  readonly engine: Engine
  readonly cachedSlotsMax: number
  /** Tasks by the name of the store they have, in the order of their partitions from 0. */
  readonly taskIds: ReadonlyMap<string, readonly string[]>
}

export const storeReaders = <Opened, Reader>(
  store: Store<Opened, Reader>,
  { engine, cachedSlotsMax, taskIds }: StoreReadersOptions,
): readonly PartitionReader<Reader>[] =>
  (taskIds.get(store.name) ?? []).map((taskId, partition) => ({
    partition,
    reader: store.reader(
      new Slots({
        engine,
        prefix: namespacePrefix(taskId, store.name),
        codec: store.codec,
        undo: new UndoLog(),
        cachedSlotsMax,
      }),
    ),
  }))
