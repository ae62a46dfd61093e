/**
 * The runner's own error classes; see `codes.ts` for what each code asks of the caller.
 *
 * A `TopologyError` is a bug in the definition: it stops the task and no handler may skip it.
 * A `RecordError` belongs to one record: its handler decides between skip, retry and stop.
 * A `RuntimeError` belongs to the instance.
 */

import {
  type ErrorAction,
  type RecordErrorCode,
  type RuntimeErrorCode,
  runtimeErrorCodes,
  type TopologyErrorCode,
} from './codes.ts'

export class TopologyError extends Error {
  override readonly name = 'TopologyError'
  readonly action: ErrorAction = 'stop'
  readonly code: TopologyErrorCode

  constructor(code: TopologyErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** Where a record came from; every message about it names all of this. */
export interface RecordPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

export class RecordError extends Error {
  override readonly name = 'RecordError'
  readonly action: ErrorAction = 'skip'
  readonly code: RecordErrorCode
  readonly taskId: string
  readonly node: string
  readonly position: RecordPosition

  constructor(
    code: RecordErrorCode,
    where: { readonly taskId: string; readonly node: string; readonly position: RecordPosition },
    cause: unknown,
  ) {
    const { topic, partition, offset } = where.position
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      `task ${where.taskId}, node ${where.node}, record ${topic}-${partition}@${offset}: ` + reason,
      { cause },
    )
    this.code = code
    this.taskId = where.taskId
    this.node = where.node
    this.position = where.position
  }
}

export class RuntimeError extends Error {
  override readonly name = 'RuntimeError'
  readonly code: RuntimeErrorCode
  readonly action: ErrorAction

  constructor(code: RuntimeErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.action = runtimeErrorCodes[code]
  }
}
