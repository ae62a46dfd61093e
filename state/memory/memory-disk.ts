/**
 * What a memory engine leaves behind: the rows, who holds them, and the views still open on them.
 *
 * Made by tests (to crash an engine and open another on the same rows) and by `MemoryEngine`.
 * 1. At most one engine is attached. 2. `apply` is whole or not at all, since nothing interrupts
 * it. 3. A row is a pair of latin1 strings: immutable, so nobody can change what is stored, and
 * no view of a batch keeps the whole batch alive.
 */

import { visitEntries } from '../batch-entries.ts'
import { StoreConflictError, StoreLockedError } from '../errors.ts'
import { SortedKeys } from '../sorted-keys.ts'
import type { WriteBatch } from '../write-batch.ts'

/** Values that rows had when the view began, undefined for a row that did not exist. */
export type RowsBefore = Map<string, string | undefined>

export class MemoryDisk {
  readonly rows = new Map<string, string>()
  readonly sortedKeys = new SortedKeys((key) => this.rows.has(key))
  /** Of every open view: filled before a row changes. */
  readonly viewsBefore = new Set<RowsBefore>()
  /** Fault tests: runs before each commit is written; a throw fails the commit, unwritten. */
  beforeCommit?: ((batch: WriteBatch) => Promise<void> | void) | undefined
  #detach: (() => void) | undefined

  /** @throws {StoreLockedError} another engine has it open: close or crash that one first */
  attach(detach: () => void): void {
    if (this.#detach !== undefined) throw new StoreLockedError('(memory)', process.pid)
    this.#detach = detach
  }

  release(): void {
    this.#detach = undefined
    this.viewsBefore.clear()
  }

  /** The engine is gone as if its process had died: later calls of it throw. */
  crash(): void {
    this.#detach?.()
    this.release()
  }

  /** @throws {StoreConflictError} an expectation failed, nothing was written */
  apply(packed: Buffer): void {
    const writes: [key: string, value: string | undefined][] = []
    visitEntries(packed, {
      put: (key, value) => writes.push([latin1(key), latin1(value)]),
      delete: (key) => writes.push([latin1(key), undefined]),
      expect: (key, value) => {
        const text = latin1(key)
        if (this.rows.get(text) === (value === undefined ? undefined : latin1(value))) return
        throw new StoreConflictError(`commit expecting key ${JSON.stringify(text)}`)
      },
    })
    for (const [key, value] of writes) this.write(key, value)
  }

  write(key: string, value: string | undefined): void {
    const before = this.rows.get(key)
    for (const view of this.viewsBefore) if (!view.has(key)) view.set(key, before)
    if (value === undefined) {
      if (this.rows.delete(key)) this.sortedKeys.touch(key)
    } else {
      this.rows.set(key, value)
      if (before === undefined) this.sortedKeys.touch(key)
    }
  }
}

const latin1 = (bytes: Buffer): string => bytes.toString('latin1')
