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
    const reason = reasonOf(cause)
    super('STATE_CORRUPT', 'stop', `store in ${directory} cannot be read: ${reason}`, cause)
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
    super('STATE_IO', 'stop', `store in ${directory}: ${reasonOf(cause)}`, cause)
  }
}

export class StoreMismatchError extends StoreError {
  override readonly name = 'StoreMismatchError'
  constructor(message: string) {
    super('STATE_MISMATCH', 'stop', message)
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : 'unknown')
