/**
 * `topology(name, define)`: a definition, planned once, to be run again by every task.
 *
 * The planning run happens here, so a broken topology fails when its module is loaded, with a
 * stack that points at the guilty line of the definition.
 */

import type { Observable } from 'rxjs'
import type { Plan } from './graph.ts'
import { PlanningScope } from './planning-scope.ts'

export interface Topology {
  readonly plan: Plan
  /** Run inside a scope only; builds the same nodes in the same order every time. */
  readonly define: () => readonly Observable<unknown>[]
}

/**
 * Declares a topology.
 *
 * The definition runs here in a planning scope, once per task, and again after a failed record: it
 * must be deterministic and free of effects.
 *
 * @param name    prefix in logs and metrics; state and internal topics carry names of their own
 * @param define  returns every sink and every other stream without a consumer
 * @throws {TopologyError} any code that can be seen at build; fix the definition, nothing to retry
 * @example       topology('bill', () => [stream(orders).pipe(mapValues(toBill), to(bills))])
 */
export const topology = (name: string, define: () => readonly Observable<unknown>[]): Topology => ({
  plan: new PlanningScope().plan(name, define),
  define,
})
