import type { InputProgress } from './input-progress.ts'
import type { RecordQueue } from './record-queue.ts'
import type { TaskSource } from './task-io.ts'

/** A partition that the task reads: how it is decoded, what came of it, how far that reaches. */
export interface TaskInput {
  readonly queue: RecordQueue
  readonly source: TaskSource
  readonly progress: InputProgress
}
