/**
 * The guard in front of every node of a pipeline: may a record pass right now?
 *
 * ```
 *   building ──► idle ⇄ open        open: exactly one record, punctuation or effect result inside
 *                  │      │
 *                  │      ▼
 *                  │    failed       for good: the task undoes the record and builds a new pipeline
 *                  ▼      ▼
 *                  closed
 * ```
 * Every node reads `phase`; the task opens and shuts it; operators never see it.
 * 1. Of several failures of one record the first wins. It is noted where it happens, before it is
 *    thrown, because RxJS may swallow a throw on its way up. 2. While no record is inside, nobody
 *    could catch: such faults are reported, never thrown. 3. One string comparison per node and
 *    record (1 ns) covers emission at build, late emission, and siblings of a swallowed throw.
 */

import { TopologyError } from '../errors/classes.ts'
import type { TopologyErrorCode } from '../errors/codes.ts'

export type Phase = 'building' | 'idle' | 'open' | 'failed' | 'closed'

export interface Failure {
  /** Name of the node whose body threw. */
  readonly node: string
  readonly cause: unknown
}

export class Gate {
  /** A public field for the hot path; written by the task and by this class only. */
  phase: Phase = 'building'
  failure: Failure | undefined
  readonly #report: (fault: TopologyError) => void

  /** @param report  gets faults found while no record is inside; must not throw */
  constructor(report: (fault: TopologyError) => void) {
    this.#report = report
  }

  /** Notes the first failure and returns what the caller must throw, so that siblings stop. */
  fail(node: string, cause: unknown): unknown {
    if (this.phase === 'open') {
      this.phase = 'failed'
      this.failure = { node, cause }
    }
    return this.failure === undefined ? cause : this.failure.cause
  }

  /** The definition broke a rule: fails the record inside, or reports if there is none. */
  fault(node: string, code: TopologyErrorCode, message: string, cause?: unknown): TopologyError {
    const fault = new TopologyError(code, `node ${node}: ${message}`, cause)
    if (this.phase === 'open') this.fail(node, fault)
    else if (this.phase !== 'failed' && this.phase !== 'closed') this.#report(fault)
    return fault
  }

  /**
   * Called by a node that got a value while it may not.
   *
   * @throws {TopologyError} STREAMS_REENTRY while a record is inside; stop the task
   */
  refuse(node: string): void {
    if (this.phase === 'open') throw this.fault(node, 'STREAMS_REENTRY', reentry)
    if (this.phase === 'building') this.fault(node, 'STREAMS_EMITTED_AT_BUILD', atBuild)
    if (this.phase === 'idle') this.fault(node, 'STREAMS_ASYNC_EMISSION', tooLate)
  }
}

const reentry =
  'it got a record while it still handles one; a Subject closes a cycle. '
  + 'Write the record to a topic instead.'
const atBuild =
  'it got a value while the topology was being built (startWith, of). '
  + 'Every record comes from a topic.'
const tooLate =
  'it got a record while none was in flight (delay, debounceTime, a promise). '
  + 'The input may be committed already, so the record is not processed. Use effect() for calls '
  + 'that take time.'
