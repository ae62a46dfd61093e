/** One store over an engine (memory if not told), as a task keeps it: records, commits, restart. */

import type { Engine } from '../../state/engine.ts'
import { namespacePrefix } from '../../state/key-layout.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { type SealedWrite, Slots } from '../../state/slots.ts'
import { UndoLog } from '../../state/undo-log.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import type { Store } from '../../src/stores/store.ts'
import { StreamTime } from '../../src/stores/stream-time.ts'

export class OpenStore<Opened, Reader> {
  readonly #store: Store<Opened, Reader>
  readonly #engine: Engine
  readonly #prefix: Uint8Array
  readonly #cachedSlotsMax: number
  #undo = new UndoLog()
  #writes: readonly SealedWrite[] = []
  /** Of the task; tests move it. */
  readonly time = new StreamTime()
  slots: Slots
  opened: Opened

  constructor(
    store: Store<Opened, Reader>,
    engine: Engine = MemoryEngine.create(),
    cachedSlotsMax = 16,
  ) {
    this.#cachedSlotsMax = cachedSlotsMax
    this.#store = store
    this.#engine = engine
    this.#prefix = namespacePrefix('0_0', store.name)
    this.slots = this.#open()
    this.opened = store.open(this.slots, this.time)
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

  /** Seals what was written. @returns writes it to the engine; call it before the next seal */
  sealed(): () => Promise<void> {
    this.#seal()
    return () => this.#apply()
  }

  /** @returns slot keys written, deletions too */
  async commit(): Promise<readonly string[]> {
    const writes = this.#seal()
    await this.#apply()
    return writes.map(({ key }) => Buffer.from(key).toString('latin1'))
  }

  /** Commits and opens the store again with an empty cache. */
  async restart(): Promise<void> {
    await this.commit()
    this.#undo = new UndoLog()
    this.slots = this.#open()
    this.opened = this.#store.open(this.slots, this.time)
  }

  #seal(): readonly SealedWrite[] {
    this.keep()
    return (this.#writes = this.slots.seal())
  }

  async #apply(): Promise<void> {
    const batch = new WriteBatch()
    for (const { key, value } of this.#writes) {
      if (value === undefined) batch.delete(this.#prefix, key)
      else batch.put(this.#prefix, key, value)
    }
    await this.#engine.commit(batch)
    this.slots.applied()
  }

  #open(): Slots {
    return new Slots({
      engine: this.#engine,
      prefix: this.#prefix,
      codec: this.#store.codec,
      undo: this.#undo,
      cachedSlotsMax: this.#cachedSlotsMax,
    })
  }
}
