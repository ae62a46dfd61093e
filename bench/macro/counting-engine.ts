/** An engine that counts what is asked of it, for benchmarks; all else is the engine's inside. */

import type { Cursor, Engine, KeyRange, ScanOptions, Snapshot } from '../../state/engine.ts'
import type { WriteBatch } from '../../state/write-batch.ts'

const zero = {
  gets: 0,
  getManyCalls: 0,
  getManyKeys: 0,
  found: 0,
  scans: 0,
  scannedRows: 0,
  storeWrites: 0,
  storeBytes: 0,
  rangeDeletes: 0,
}

export class CountingEngine implements Engine {
  readonly #engine: Engine
  counts = { ...zero }

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get kind(): Engine['kind'] {
    return this.#engine.kind
  }

  reset(): void {
    this.counts = { ...zero }
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.counts.gets += 1
    const value = this.#engine.get(key)
    if (value !== undefined) this.counts.found += 1
    return value
  }

  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return this.#counted(keys, this.#engine.getMany(keys))
  }

  getTexts(keys: readonly Uint8Array[]): (string | Uint8Array | undefined)[] {
    return this.#counted(keys, this.#engine.getTexts?.(keys) ?? this.#engine.getMany(keys))
  }

  scan(options: ScanOptions): Cursor {
    this.counts.scans += 1
    const cursor = this.#engine.scan(options)
    return {
      next: (max) => {
        const rows = cursor.next(max)
        this.counts.scannedRows += rows.length
        return rows
      },
      close: () => cursor.close(),
    }
  }

  snapshot(): Snapshot {
    return this.#engine.snapshot()
  }

  commit(batch: WriteBatch): Promise<void> {
    this.counts.storeWrites += batch.count
    this.counts.storeBytes += batch.byteLength
    return this.#engine.commit(batch)
  }

  bulkLoad(batch: WriteBatch): Promise<void> {
    return this.#engine.bulkLoad(batch)
  }

  deleteRange(range: KeyRange): Promise<void> {
    this.counts.rangeDeletes += 1
    return this.#engine.deleteRange(range)
  }

  property(name: string): string | undefined {
    return this.#engine.property(name)
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  #counted<Value>(keys: readonly Uint8Array[], values: (Value | undefined)[]): typeof values {
    this.counts.getManyCalls += 1
    this.counts.getManyKeys += keys.length
    for (const value of values) if (value !== undefined) this.counts.found += 1
    return values
  }
}
