/** One store over a memory engine, as a task keeps it: records, commits, restarts. */

import { namespacePrefix } from '../../state/key-layout.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { Slots } from '../../state/slots.ts'
import { UndoLog } from '../../state/undo-log.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { type Store } from '../../src/stores/store.ts'

export class OpenStore<Opened, Reader> {
  readonly #store: Store<Opened, Reader>
  readonly #engine = MemoryEngine.create()
  readonly #prefix: Uint8Array
  #undo = new UndoLog()
  slots: Slots
  opened: Opened

  constructor(store: Store<Opened, Reader>) {
    this.#store = store
    this.#prefix = namespacePrefix('0_0', store.name)
    this.slots = this.#open()
    this.opened = store.open(this.slots)
  }

  get reader(): Reader {
    return this.#store.reader(this.slots)
  }

  /** The record in flight is over; its writes stay. */
  keep(): void {
    this.#undo.clear()
  }

  undo(): void {
    this.#undo.rollback()
  }

  /** @returns slot keys written, deletions too */
  async commit(): Promise<readonly string[]> {
    this.keep()
    const batch = new WriteBatch()
    const writes = this.slots.seal()
    for (const { key, value } of writes) {
      if (value === undefined) batch.delete(this.#prefix, key)
      else batch.put(this.#prefix, key, value)
    }
    await this.#engine.commit(batch)
    this.slots.applied()
    return writes.map(({ key }) => Buffer.from(key).toString('latin1'))
  }

  /** Commits and opens the store again with an empty cache. */
  async restart(): Promise<void> {
    await this.commit()
    this.#undo = new UndoLog()
    this.slots = this.#open()
    this.opened = this.#store.open(this.slots)
  }

  #open(): Slots {
    return new Slots({
      engine: this.#engine,
      prefix: this.#prefix,
      codec: this.#store.codec,
      undo: this.#undo,
      cachedSlotsMax: 16,
    })
  }
}
