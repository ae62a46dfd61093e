/**
 * The pipeline of one task: what one record does in it is all or nothing.
 *
 * Owned by the task, whose stores outlive it. 1. A failed pipeline is never used again, since RxJS
 * operators stop at their first error: the next is built at once, in microseconds. 2. Of a body
 * that failed nothing is left in the record scope. 3. A fault seen between two records is thrown
 * at the next chance: the task must be closed dirty.
 */

import { type RecordError, TopologyError } from '../errors/classes.ts'
import type { Gate } from '../topology/gate.ts'
import { TaskScope, type TaskServices } from '../topology/task-scope.ts'
import type { Topology } from '../topology/topology.ts'
import type { Origin } from './record-origin.ts'
import type { RecordScope } from './record-scope.ts'
import type { TaskCounters } from './task-counters.ts'
import type { TaskFailures } from './task-failures.ts'
import { UnwritableRecordError } from './task-io.ts'

export interface TaskPipelineOptions {
  /** What the nodes ask; not before `build`. */
  readonly services: TaskServices
  readonly topology: Topology
  readonly records: RecordScope
  readonly failures: TaskFailures
  readonly counters: TaskCounters
}

export class TaskPipeline {
  readonly #options: TaskPipelineOptions
  #fault: TopologyError | undefined
  /** The one in use; a public field for the hot path. */
  scope: TaskScope
  /** Of the record inside; a public field for the hot path, written by this class only. */
  origin: Origin | undefined

  constructor(options: TaskPipelineOptions) {
    this.#options = options
    this.scope = new TaskScope(options.services)
  }

  /** Once, when the services can answer. @throws {TopologyError} it is not as planned */
  build(): void {
    this.scope.build(this.#options.topology.define)
  }

  /** Puts a new pipeline in the place of this one. @throws {TopologyError} it is not as planned */
  rebuild(): void {
    this.scope.close()
    const next = new TaskScope(this.#options.services)
    next.build(this.#options.topology.define)
    this.scope = next
  }

  close(): void {
    this.scope.close()
  }

  /** Notes a fault seen while no record is inside; the first counts. */
  report(fault: TopologyError): void {
    this.#fault ??= fault
  }

  /** @throws {TopologyError} the fault noted */
  throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault
  }

  /**
   * Opens a record scope around `body`; whatever it throws undoes all of it.
   *
   * @returns the failure, if it is the record's
   * @throws {TopologyError} the definition's: close the task dirty
   */
  run(origin: Origin, body: () => void): RecordError | undefined {
    this.throwFault()
    const { gate } = this.scope
    const { node } = origin
    if (gate.phase !== 'idle') throw gate.fault(node, 'STREAMS_REENTRY', nested)
    gate.phase = 'open'
    this.origin = origin
    try {
      body()
    } catch (cause) {
      gate.fail(node, cause) // noted by the guilty node already, unless the kernel is wrong
    }
    this.origin = undefined
    return this.#closeScope(gate, origin)
  }

  #closeScope(gate: Gate, { position }: Origin): RecordError | undefined {
    const { failure } = gate
    const { records, failures, counters } = this.#options
    if (failure === undefined) {
      gate.phase = 'idle'
      records.keep()
      return undefined
    }
    records.undo()
    counters.rolledBack += 1
    this.rebuild()
    const { node, cause } = failure
    if (cause instanceof TopologyError) throw cause
    const isOutput = cause instanceof UnwritableRecordError
    const code = isOutput ? 'STREAMS_PRODUCTION' : 'STREAMS_PROCESSING'
    return failures.error(code, { node, position }, cause)
  }
}

const nested = 'a record was pushed while another one is in flight, by one of its own steps.'
