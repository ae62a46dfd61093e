/**
 * Brings the rows of one store of one task to the version of the code, before it takes a record.
 *
 * Made when the task is restored, run by the stream loop some rows at a time. The rows are written
 * as any others: into the generation being processed, hence to the changelog and the store, in
 * transactions that carry the task's offsets. 1. Each generation holds the migrated rows together
 * with the row that tells how far they go, so a cut anywhere leaves rows of known versions.
 * 2. Every row is migrated once, from the version it is of. 3. Nothing else is written meanwhile.
 */

import type { Cursor, Engine, Row } from '../../state/engine.ts'
import {
  bytesFromLatin1,
  latin1FromBytes,
  namespacePrefix,
  prefixEnd,
  versionRowKey,
} from '../../state/key-layout.ts'
import { RuntimeError } from '../errors/classes.ts'
import { RowVersions } from '../stores/row-versions.ts'
import type { Store } from '../stores/store.ts'
import type { TaskStore } from './task-store.ts'

const rowsPerRead = 256

export interface MigrationOptions extends Pick<TaskStore, 'store' | 'slots'> {
  /** Holds all that was committed: the store is restored. */
  readonly engine: Engine
  readonly taskId: string
}

export class StoreMigration {
  readonly storeName: string
  readonly #options: MigrationOptions
  readonly #version: number
  readonly #prefix: Uint8Array
  #versions: RowVersions
  #cursor: Cursor | undefined
  #rows: readonly Row[] = []
  #rowAt = 0
  #isDone = false

  private constructor(options: MigrationOptions, versions: RowVersions) {
    const { store, taskId } = options
    this.storeName = store.name
    this.#options = options
    this.#version = versionOf(store)
    this.#prefix = namespacePrefix(taskId, store.name)
    this.#versions = versions
  }

  /**
   * @returns undefined if the rows are of the version of the code
   * @throws {RuntimeError} STREAMS_STATE_MISMATCH: the rows are newer than the code, or older and
   * nothing migrates them; start the code that the message asks for
   */
  static of(options: MigrationOptions): StoreMigration | undefined {
    const { store, engine, taskId } = options
    const prefix = namespacePrefix(taskId, store.name)
    const versions = RowVersions.decode(engine.get(fullKey(prefix, versionRowKey)))
    const version = versionOf(store)
    if (versions.newest > version) {
      throw mismatch(options, `has rows of version ${versions.newest}, newer than ${version}: run `)
    }
    if (versions.oldest === version) return undefined
    if (store.migrateRow === undefined && hasRows(engine, prefix)) {
      const why = `has rows of version ${versions.oldest}, and nothing migrates them to ${version}`
      throw mismatch(options, `${why}: give it a migrate function or another name, or run `)
    }
    return new StoreMigration(options, versions)
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /**
   * Migrates some rows into the generation being processed.
   *
   * @returns how many
   * @throws {RuntimeError} STREAMS_STATE_MISMATCH: a migration failed; close the task dirty
   */
  run(rowsMax: number): number {
    let migrated = 0
    let last: string | undefined
    while (migrated < rowsMax) {
      const row = this.#next()
      if (row === undefined) return this.#finish(migrated)
      last = latin1FromBytes(row[0].subarray(this.#prefix.length))
      if (last === versionRowKey) continue
      this.#migrate(last, row[1])
      migrated += 1
    }
    if (last !== undefined) this.#moved(this.#versions.migrated(last, this.#version))
    return migrated
  }

  close(): void {
    this.#cursor?.close()
    this.#cursor = undefined
    this.#isDone = true
  }

  #migrate(slot: string, rowBytes: Uint8Array): void {
    const { store, slots } = this.#options
    const from = this.#versions.of(slot)
    try {
      const bytes = store.migrateRow!(rowBytes, slot, from)
      slots.put(slot, store.codec.decode(bytes, slot))
    } catch (cause) {
      const key = Buffer.from(bytesFromLatin1(slot)).toString('hex')
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new RuntimeError(
        'STREAMS_STATE_MISMATCH',
        `${nameOf(this.#options)}: the migration of the row ${key} (hex) from version ${from} `
          + `failed: ${reason}; mend it and start again, rows before this one are kept`,
        cause,
      )
    }
  }

  #finish(migrated: number): number {
    this.#moved(RowVersions.all(this.#version))
    this.close()
    return migrated
  }

  #moved(versions: RowVersions): void {
    this.#versions = versions
    this.#options.slots.putVersions(versions)
  }

  #next(): Row | undefined {
    if (this.#rowAt === this.#rows.length) {
      this.#cursor ??= this.#open()
      this.#rows = this.#cursor.next(rowsPerRead)
      this.#rowAt = 0
    }
    const row = this.#rows[this.#rowAt]
    this.#rowAt += 1
    return row
  }

  /** A view as of now: the rows written meanwhile are the migrated ones. */
  #open(): Cursor {
    const done = this.#versions.migratedTo(this.#version)
    const from = done === undefined ? '' : `${done}\0`
    return this.#options.engine.scan({
      gte: fullKey(this.#prefix, from),
      lt: prefixEnd(this.#prefix),
    })
  }
}

/** Of all stores of a task whose rows are not of the version of the code. @throws as `of` */
export const migrationsOf = (
  stores: Iterable<TaskStore>,
  where: Pick<MigrationOptions, 'engine' | 'taskId'>,
): readonly StoreMigration[] =>
  [...stores].flatMap(({ store, slots }) => StoreMigration.of({ store, slots, ...where }) ?? [])

/**
 * For whoever reads a store from outside, without a task that would migrate it.
 *
 * @throws {RuntimeError} STREAMS_STATE_MISMATCH: rows of another version; run the application first
 */
export const refuseOtherVersions = (store: Store, engine: Engine, prefix: Uint8Array): void => {
  const versions = RowVersions.decode(engine.get(fullKey(prefix, versionRowKey)))
  const version = versionOf(store)
  const isSame = versions.newest === version && versions.oldest === version
  if (isSame || !hasRows(engine, prefix)) return
  throw new RuntimeError(
    'STREAMS_STATE_MISMATCH',
    `store ${store.name} has rows of version ${versions.oldest}, and this code reads those of `
      + `version ${version}: start the application, which migrates them, or use the code that `
      + 'made them',
  )
}

const versionOf = ({ version = 1 }: Store): number => version

const fullKey = (prefix: Uint8Array, slot: string): Uint8Array =>
  Buffer.concat([prefix, bytesFromLatin1(slot)])

const hasRows = (engine: Engine, prefix: Uint8Array): boolean => {
  const cursor = engine.scan({ gte: prefix, lt: prefixEnd(prefix), limit: 2 })
  try {
    const versionKey = fullKey(prefix, versionRowKey)
    return cursor.next(2).some(([key]) => Buffer.compare(key, versionKey) !== 0)
  } finally {
    cursor.close()
  }
}

const nameOf = ({ store, taskId }: MigrationOptions): string =>
  `store ${store.name} of task ${taskId}`

const mismatch = (options: MigrationOptions, what: string): RuntimeError =>
  new RuntimeError(
    'STREAMS_STATE_MISMATCH',
    `${nameOf(options)} ${what}the version of the application that made it, or a later one`,
  )
