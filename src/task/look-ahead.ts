/**
 * Decodes the next records of one input ahead, so that what they will read is read in one call.
 *
 * Owned by the task, one per input with something to prefetch. 1. A hint: a record that cannot be
 * decoded is left to its turn, where the failure is handled. 2. What was decoded ahead is used
 * once: a record that is tried again is decoded again. 3. It pays also where every row is in a
 * cache: see `touch-slots.ts`.
 */

import type { RawRecord } from '../broker/port.ts'
import type { StreamRecord } from '../record.ts'
import type { RecordQueue } from './record-queue.ts'
import { decodeRecord, type TaskSource } from './task-io.ts'

/** Small enough to stay in the caches, large enough that the call into the engine is shared. */
const windowRecords = 128

export interface LookAheadOptions {
  readonly queue: RecordQueue
  readonly source: TaskSource
}

export class LookAhead {
  readonly #options: LookAheadOptions
  #raws: readonly RawRecord[] = []
  #records: (StreamRecord<unknown, unknown> | undefined)[] = []
  #next = 0

  constructor(options: LookAheadOptions) {
    this.#options = options
  }

  /** The head of the queue, if it was decoded ahead; only once. */
  take(raw: RawRecord): StreamRecord<unknown, unknown> | undefined {
    if (this.#raws[this.#next] !== raw) return undefined
    const record = this.#records[this.#next]
    this.#records[this.#next] = undefined
    this.#next += 1
    return record
  }

  /** True if it is time for `look`. Call it before each record is taken. */
  get isDue(): boolean {
    return this.#next === this.#raws.length
  }

  /** Decodes the next records, as far as they can be. */
  look(): readonly StreamRecord<unknown, unknown>[] {
    this.#next = 0
    this.#raws = this.#options.queue.ahead(windowRecords)
    this.#records = this.#raws.map((raw) => decodedOrUndefined(this.#options.source, raw))
    return this.#records.filter((record) => record !== undefined)
  }
}

const decodedOrUndefined = (
  source: TaskSource,
  raw: RawRecord,
): StreamRecord<unknown, unknown> | undefined => {
  try {
    return decodeRecord(source, raw)
  } catch {
    return undefined // its turn comes, with the handler of the failure
  }
}
