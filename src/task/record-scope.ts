/**
 * Everything one record did, until it is known to have succeeded.
 *
 * Owned by the task, outlives its pipelines. 1. Opened and closed exactly once per record,
 * punctuation or effect completion. 2. `undo` leaves no trace: slots get their old values, staged
 * outputs and effect requests vanish. 3. Nothing is allocated per record but what it stages.
 */

import { UndoLog } from '../../state/undo-log.ts'
import { type Headers } from '../record.ts'
import { type RecordPosition } from '../errors/classes.ts'

/** An encoded output, addressed; `cause` names the input should the broker reject it. */
export class StagedOutput {
  readonly topic: string
  readonly partition: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers
  readonly cause: RecordPosition | undefined

  constructor(
    to: { readonly topic: string; readonly partition: number; readonly timestampMs: number },
    content: {
      readonly key: Uint8Array | null
      readonly value: Uint8Array | null
      readonly headers: Headers
    },
    cause: RecordPosition | undefined,
  ) {
    this.topic = to.topic
    this.partition = to.partition
    this.timestampMs = to.timestampMs
    this.key = content.key
    this.value = content.value
    this.headers = content.headers
    this.cause = cause
  }
}

/** An outbox row whose call may start once the row is committed. */
export interface EffectRequest {
  readonly node: string
  readonly rowKey: string
}

export class RecordScope {
  readonly undoLog = new UndoLog()
  /** The commit batch; entries from `#kept…` on belong to the record in flight. */
  #outputs: StagedOutput[] = []
  #keptOutputs = 0
  #effects: EffectRequest[] = []
  #keptEffects = 0

  stage(output: StagedOutput): void {
    this.#outputs.push(output)
  }

  requestEffect(request: EffectRequest): void {
    this.#effects.push(request)
  }

  keep(): void {
    this.undoLog.clear()
    this.#keptOutputs = this.#outputs.length
    this.#keptEffects = this.#effects.length
  }

  undo(): void {
    this.undoLog.rollback()
    this.#outputs.length = this.#keptOutputs
    this.#effects.length = this.#keptEffects
  }

  get outputCount(): number {
    return this.#outputs.length
  }

  /** Hands what all kept records staged to the commit. */
  drain(): {
    readonly outputs: readonly StagedOutput[]
    readonly effects: readonly EffectRequest[]
  } {
    const drained = { outputs: this.#outputs, effects: this.#effects }
    this.#outputs = []
    this.#effects = []
    this.#keptOutputs = this.#keptEffects = 0
    return drained
  }
}
