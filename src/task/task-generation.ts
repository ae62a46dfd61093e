/** What one task hands to one commit: everything since its last seal, or nothing. */

import type { CommittedOffset } from '../broker/port.ts'
import type { PackedRecords } from '../broker/records/packed-records.ts'
import type { DeadLetterTally } from './dead-letter-tally.ts'
import type { EffectRequest } from './record-scope.ts'
import type { StagedOutputs } from './staged-outputs.ts'
import type { StreamTask } from './stream-task.ts'
import type { TaskStore } from './task-store.ts'

export interface SealedStore extends TaskStore {
  /** What goes to the changelog, and from there to the store: at least one. */
  readonly rows: PackedRecords
}

export interface TaskGeneration {
  readonly task: StreamTask
  readonly outputs: StagedOutputs
  readonly effects: readonly EffectRequest[]
  readonly stores: readonly SealedStore[]
  readonly offsets: readonly CommittedOffset[]
  /** Which of the outputs are dead letters: counted once they are committed. */
  readonly deadLetters: DeadLetterTally
}
