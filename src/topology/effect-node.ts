/**
 * An `effect()` node as the task's effect runner sees it: what waits, how to call, where to answer.
 *
 * Made by `operators/effect.ts`, registered with the scope, read by `src/task/effect-runner.ts`.
 * ```
 *   record ──► row stored, requestEffect(rowKey)          transaction n
 *   committed ──► runner: call(request), retried, at most maxInFlight, in order per key
 *   completion ──► input.next() inside a record scope     transaction m > n: row ends, result out
 * ```
 * 1. A call starts only after the commit that stored its row. 2. Of two rows of one key the second
 * starts only after the first is done, so an unknown outcome holds back what follows it. 3. The
 * runner owns timers, retries and signals; this node owns the rows. 4. Nodes are replaced with
 * the pipeline: look them up by `name` for every completion, never keep one.
 */

import type { OutboxEntry, OutboxStore } from '../stores/outbox-store.ts'
import type { NodeInput } from './node-input.ts'

export interface EffectContext<K> {
  readonly key: K
  /** The same for every attempt of this request, across retries, restarts and instances. */
  readonly idempotencyKey: string
  /** 1 for the first attempt ever made for this request, as far as the store knows. */
  readonly attempt: number
  /** Aborts at the time-out and when the task closes. */
  readonly signal: AbortSignal
}

/** Resolves with a definite answer (a decline is one too); rejects if the outcome is unknown. */
export type EffectCall<K, V, W> = (request: V, context: EffectContext<K>) => Promise<W>

/** Every default filled in and every bound checked. */
export interface EffectSettings {
  /** Calls in flight per node and task at most. */
  readonly maxInFlight: number
  /** Attempts in one round, after which the outcome is reported as unknown. */
  readonly attemptsMax: number
  readonly timeoutMs: number
  /** First wait between attempts; doubles up to `backoffMaxMs`. */
  readonly backoffMs: number
  readonly backoffMaxMs: number
}

export type EffectOutcome =
  | { readonly kind: 'done'; readonly value: unknown; readonly attempts: number }
  | { readonly kind: 'unknown'; readonly error: string; readonly attempts: number }

/** What the runner hands back; `attempts` counts all rounds: those of the row and the new ones. */
export interface EffectCompletion {
  readonly rowKey: string
  readonly outcome: EffectOutcome
}

export interface EffectNode {
  readonly name: string
  readonly store: OutboxStore<unknown, unknown>
  readonly settings: EffectSettings
  /** A method, so that calls of any type fit; `effect()` pairs it with the store's serdes. */
  call(request: unknown, context: EffectContext<unknown>): Promise<unknown>
  /**
   * Takes completions; call it inside a record scope, as a source is called with a record.
   *
   * A completion whose row is gone (answered before) changes nothing.
   */
  readonly input: NodeInput<EffectCompletion>
  /** One row, newest value: `undefined` once it is done. */
  row(rowKey: string): OutboxEntry<unknown, unknown> | undefined
  /** Every row without a definite answer, rows of one key in the order of their requests. */
  pendingRows(): Iterable<OutboxEntry<unknown, unknown>>
}
