/**
 * The stores of one task whose rows are of older versions, one after the other.
 *
 * Owned by the task; no record may be processed before they are done.
 */

import type { Logger } from '../logger.ts'
import type { RecordScope } from './record-scope.ts'
import type { StoreMigration } from './store-migration.ts'

export interface TaskMigrationsOptions {
  readonly id: string
  readonly records: RecordScope
  readonly logger: Logger
}

export class TaskMigrations {
  readonly #options: TaskMigrationsOptions
  #left: readonly StoreMigration[] = []

  constructor(options: TaskMigrationsOptions) {
    this.#options = options
  }

  begin(migrations: readonly StoreMigration[]): void {
    this.#left = migrations
  }

  get isRunning(): boolean {
    return this.#left.length > 0
  }

  /** As `StreamTask.migrateRows`. */
  run(rowsMax: number): number {
    const [migration, ...rest] = this.#left
    if (migration === undefined) return 0
    const { id, records, logger } = this.#options
    const migrated = migration.run(rowsMax)
    records.keep()
    if (migration.isDone) {
      this.#left = rest
      logger.info({ store: migration.storeName, task: id }, 'the rows of the store are migrated')
    }
    return migrated
  }

  close(): void {
    for (const migration of this.#left) migration.close()
  }
}
