/**
 * Everything one record did, until it is known to have succeeded.
 *
 * Owned by the task, outlives its pipelines. 1. Opened and closed exactly once per record,
 * punctuation or effect completion. 2. `undo` leaves no trace: slots get their old values, staged
 * outputs and effect requests vanish. 3. Nothing is allocated per record but what it stages.
 */

import { UndoLog } from '../../state/undo-log.ts'
import type { RecordView } from '../broker/records/record-view.ts'
import { type EncodedOutput, type OutputPlace, StagedOutputs } from './staged-outputs.ts'

/** An outbox row whose call may start once the row is committed. */
export interface EffectRequest {
  readonly node: string
  readonly rowKey: string
}

export class RecordScope {
  readonly undoLog = new UndoLog()
  #outputs = new StagedOutputs()
  /** The commit batch; entries from `#keptEffects` on belong to the record in flight. */
  #effects: EffectRequest[] = []
  #keptEffects = 0

  /**
   * @param input   index of the task's input whose head made it; −1: no single record did
   * @param offset  of that record
   */
  stage(output: EncodedOutput, input: number, offset: number): void {
    this.#outputs.stage(output, input, offset)
  }

  /** As `stage`, of a record whose key and value are copied as they are. */
  stageCopy(to: OutputPlace, record: RecordView, input: number, offset: number): void {
    this.#outputs.stageCopy(to, record, input, offset)
  }

  requestEffect(request: EffectRequest): void {
    this.#effects.push(request)
  }

  keep(): void {
    this.undoLog.clear()
    this.#outputs.keep()
    this.#keptEffects = this.#effects.length
  }

  undo(): void {
    this.undoLog.rollback()
    this.#outputs.undo()
    this.#effects.length = this.#keptEffects
  }

  get outputCount(): number {
    return this.#outputs.count
  }

  /** Hands what all kept records staged to the commit. */
  drain(): {
    readonly outputs: StagedOutputs
    readonly effects: readonly EffectRequest[]
  } {
    const drained = { outputs: this.#outputs, effects: this.#effects }
    this.#outputs = this.#outputs.successor()
    this.#effects = []
    this.#keptEffects = 0
    return drained
  }
}
