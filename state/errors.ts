/**
 * What can go wrong with a store: one list of codes, one class per recovery.
 *
 * `action` is what the caller does; `operatorAction` is what a person does, in one sentence.
 */

export const storeErrorCodes = [
  'STATE_CLOSED', // a call after close: a bug in the caller
  'STATE_CONFLICT', // the position moved under the commit: close dirty, catch up, go on
  'STATE_LOCKED', // another process holds the directory
  'STATE_CORRUPT', // the database cannot be read: stop; wipe the directory and restore
  'STATE_LOST', // acknowledged data is gone: stop; restore all from a backup, or accept it
  'STATE_FULL', // no space on the device: stop cleanly or retry once space is free
  'STATE_IO', // another I/O error
  'STATE_MISMATCH', // made by another cluster, topic, serde or layout: refused
] as const

export type StoreErrorCode = (typeof storeErrorCodes)[number]
export type StoreErrorAction = 'retry' | 'reopenTask' | 'stop'

export class StoreError extends Error {
  override readonly name: string = 'StoreError'
  readonly code: StoreErrorCode
  readonly action: StoreErrorAction

  constructor(code: StoreErrorCode, action: StoreErrorAction, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.action = action
  }
}

export class StoreClosedError extends StoreError {
  override readonly name = 'StoreClosedError'
  constructor(what: string) {
    super('STATE_CLOSED', 'stop', `${what}: the store is closed or closing`)
  }
}

export class StoreConflictError extends StoreError {
  override readonly name = 'StoreConflictError'
  constructor(what: string) {
    super('STATE_CONFLICT', 'reopenTask', `${what}: the stored position is not the expected one`)
  }
}

export class StoreLockedError extends StoreError {
  override readonly name = 'StoreLockedError'
  /** Process that holds the directory, if it could be read. */
  readonly pid: number | undefined
  constructor(directory: string, pid: number | undefined, cause?: unknown) {
    super(
      'STATE_LOCKED',
      'stop',
      `state directory ${directory} is in use by `
        + `${pid === undefined ? 'another process' : `process ${pid}`}; stop it, or choose another `
        + 'directory with --state-dir',
      cause,
    )
    this.pid = pid
  }
}

export class StoreCorruptError extends StoreError {
  override readonly name = 'StoreCorruptError'
  constructor(directory: string, cause?: unknown) {
    super(
      'STATE_CORRUPT',
      'stop',
      `store in ${directory} is damaged: ${reasonOf(cause)}; end the instance, then restore its `
        + 'whole state directory from a backup, or delete this part if it holds local stores '
        + '(state): they are rebuilt from their changelogs',
      cause,
    )
  }
}

export class StoreFullError extends StoreError {
  override readonly name = 'StoreFullError'
  constructor(directory: string, cause?: unknown) {
    super(
      'STATE_FULL',
      'retry',
      `no space left for the store in ${directory}; free some space `
        + 'and start again: nothing committed is lost',
      cause,
    )
  }
}

export class StoreIoError extends StoreError {
  override readonly name = 'StoreIoError'
  constructor(directory: string, cause?: unknown) {
    super('STATE_IO', 'stop', `store in ${directory}: ${accessProblemOf(cause)}`, cause)
  }
}

export class StoreLossError extends StoreError {
  override readonly name = 'StoreLossError'
  /** @param loss  what shows it, such as `it ends at commit 3, and commit 7 was acknowledged` */
  constructor(where: string, loss: string, waysOut?: string) {
    const advice = waysOut ?? 'restore it from a backup, together with the stores beside it'
    super('STATE_LOST', 'stop', `${where} lost data that was acknowledged: ${loss}; ${advice}`)
  }
}

export class StoreMismatchError extends StoreError {
  override readonly name = 'StoreMismatchError'
  constructor(message: string) {
    super('STATE_MISMATCH', 'stop', message)
  }
}

/** What stands in the way at a place: by the system's code, or by the words of RocksDB. */
const accessProblems: readonly (readonly [RegExp, string])[] = [
  [/EROFS|read-only file system/i, 'its file system is read-only; make it writable, or choose'],
  [/EACCES|EPERM|permission denied/i, 'this user may not write there; allow it, or choose'],
  [/ENOTDIR|EEXIST|not a directory/i, 'it, or what it should lie in, is a file; choose'],
]

const accessProblemOf = (cause: unknown): string => {
  const reason = reasonOf(cause)
  const known = accessProblems.find(([words]) => words.test(reason))
  return known === undefined ? reason : `${known[1]} another directory with --state-dir`
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : 'unknown')
