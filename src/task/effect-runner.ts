/**
 * Makes the external calls of one task's outboxes, after the commit that stored their requests.
 *
 * ```
 *   committed row ──► lane of its key ──► attempt ──done──────────────► completion
 *                        ▲                  │ rejects, times out
 *                        │                  ├─ attempts left ──► backoff ──► attempt
 *                        └──── later round ─┴─ used up ──► completion 'unknown', once per row
 * ```
 * Called by the stream loop. 1. Rows of one key are called in order: the next one starts when the
 * one before has its definite answer. 2. At most `maxInFlight` calls per node run at once; waiting
 * for a backoff does not count. 3. A completion is handed out by `take` and stays the head until
 * `settled`: if what follows fails, it is offered again. 4. After `close` nothing is called and
 * nothing completes: the rows are in the store, and the next owner asks again by the same key.
 */

import type { Clock } from '../clock.ts'
import type { EffectCompletion, EffectNode } from '../topology/effect-node.ts'
import type { EffectRequest } from './record-scope.ts'
import type { StreamTask } from './stream-task.ts'
import type { TaskCounters } from './task-counters.ts'

export interface EffectRunnerOptions {
  readonly task: StreamTask
  readonly clock: Clock
  readonly counters: TaskCounters
  /** A completion is ready: give the task a turn. */
  onCompletion(): void
}

export interface NodeCompletion {
  readonly node: string
  readonly completion: EffectCompletion
}

/** Requests of one key of one node, oldest first; the head is the one being called. */
interface Lane {
  readonly node: string
  readonly rowKeys: string[]
  attemptsThisRound: number
}

/** A row key ends with eight characters of sequence number; what is before names the key. */
const seqCharacters = 8

export class EffectRunner {
  readonly #options: EffectRunnerOptions
  readonly #lanes = new Map<string, Lane>()
  readonly #ready = new Map<string, Lane[]>()
  readonly #inFlight = new Map<string, number>()
  #completions: NodeCompletion[] = []
  #taken = 0
  /** Ends a call in flight; one set, since AbortSignal.any costs more than a whole record. */
  readonly #calls = new Set<(reason: Error) => void>()
  #isClosed = false

  constructor(options: EffectRunnerOptions) {
    this.#options = options
  }

  /** Takes up every row that an earlier owner, or an earlier life of this one, left open. */
  recover(): void {
    for (const [node, effect] of this.#options.task.effects) {
      for (const { rowKey } of effect.pendingRows()) this.#enqueue(node, rowKey)
    }
    this.#startReady()
  }

  /** Call when the generation that stored these rows is committed and applied. */
  start(requests: readonly EffectRequest[]): void {
    for (const { node, rowKey } of requests) this.#enqueue(node, rowKey)
    this.#startReady()
  }

  /** The oldest completion that is not settled. */
  take(): NodeCompletion | undefined {
    return this.#completions[this.#taken]
  }

  /** The completion was processed: the lane goes on. */
  settled({ node, completion: { rowKey, outcome } }: NodeCompletion): void {
    this.#taken += 1
    if (this.#taken >= 1024 || this.#taken === this.#completions.length) {
      this.#completions = this.#completions.slice(this.#taken)
      this.#taken = 0
    }
    const lane = this.#lanes.get(laneKey(node, rowKey))
    if (lane === undefined) return
    lane.attemptsThisRound = 0
    if (outcome.kind === 'unknown') {
      this.#later(lane, this.#effect(node).settings.backoffMaxMs)
      return
    }
    lane.rowKeys.shift()
    if (lane.rowKeys.length === 0) this.#lanes.delete(laneKey(node, rowKey))
    else this.#makeReady(lane)
    this.#startReady()
  }

  /** Requests without a definite answer, waiting or in flight. */
  get openCount(): number {
    let count = 0
    for (const { rowKeys } of this.#lanes.values()) count += rowKeys.length
    return count
  }

  close(): void {
    this.#isClosed = true
    for (const end of this.#calls) end(new Error('the task was closed'))
  }

  #enqueue(node: string, rowKey: string): void {
    const key = laneKey(node, rowKey)
    const lane = this.#lanes.get(key)
    if (lane !== undefined) {
      lane.rowKeys.push(rowKey)
      return
    }
    const made: Lane = { node, rowKeys: [rowKey], attemptsThisRound: 0 }
    this.#lanes.set(key, made)
    this.#makeReady(made)
  }

  #makeReady(lane: Lane): void {
    const ready = this.#ready.get(lane.node)
    if (ready === undefined) this.#ready.set(lane.node, [lane])
    else ready.push(lane)
  }

  #startReady(): void {
    if (this.#isClosed) return
    for (const [node, lanes] of this.#ready) {
      const { maxInFlight } = this.#effect(node).settings
      const free = maxInFlight - (this.#inFlight.get(node) ?? 0)
      for (const lane of lanes.splice(0, Math.max(0, free))) this.#startLane(lane)
    }
  }

  #startLane(lane: Lane): void {
    const { node } = lane
    this.#inFlight.set(node, (this.#inFlight.get(node) ?? 0) + 1)
    void this.#attempt(lane).finally(() => {
      this.#inFlight.set(node, this.#inFlight.get(node)! - 1)
      this.#startReady()
    })
  }

  async #attempt(lane: Lane): Promise<void> {
    const effect = this.#effect(lane.node)
    const rowKey = lane.rowKeys[0]!
    const row = effect.row(rowKey)
    lane.attemptsThisRound += 1
    const attempts = (row?.attempts ?? 0) + lane.attemptsThisRound
    if (row === undefined) {
      // answered by an earlier call whose completion came twice
      this.#complete(lane, { rowKey, outcome: { kind: 'done', value: undefined, attempts } })
      return
    }
    this.#options.counters.effectsStarted += 1
    const { key, idempotencyKey, request } = row
    try {
      const value = await this.#call(effect, (signal) =>
        effect.call(request, { key, idempotencyKey, attempt: attempts, signal }),
      )
      this.#options.counters.effectsCompleted += 1
      this.#complete(lane, { rowKey, outcome: { kind: 'done', value, attempts } })
    } catch (cause) {
      this.#failed(lane, { rowKey, attempts, wasUnknown: row.state === 'unknown' }, cause)
    }
  }

  /** One call, ended by its time-out or by the close of the task, whichever comes first. */
  async #call(
    { settings }: EffectNode,
    call: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<unknown> {
    const controller = new AbortController()
    const { promise: ended, reject } = Promise.withResolvers<never>()
    const end = (reason: Error): void => {
      controller.abort(reason)
      reject(reason)
    }
    const cancel = this.#options.clock.setTimer(settings.timeoutMs, () =>
      end(new Error(`no answer within ${settings.timeoutMs} ms`)),
    )
    this.#calls.add(end)
    try {
      return await Promise.race([call(controller.signal), ended])
    } finally {
      cancel()
      this.#calls.delete(end)
    }
  }

  #failed(
    lane: Lane,
    at: { readonly rowKey: string; readonly attempts: number; readonly wasUnknown: boolean },
    cause: unknown,
  ): void {
    if (this.#isClosed) return
    const { rowKey, attempts, wasUnknown } = at
    const { attemptsMax, backoffMs, backoffMaxMs } = this.#effect(lane.node).settings
    this.#options.counters.effectRetries += 1
    if (lane.attemptsThisRound < attemptsMax) {
      const waitMs = Math.min(backoffMaxMs, backoffMs * 2 ** (lane.attemptsThisRound - 1))
      this.#later(lane, waitMs)
      return
    }
    if (wasUnknown) {
      lane.attemptsThisRound = 0
      this.#later(lane, backoffMaxMs)
      return
    }
    this.#options.counters.effectsUnknown += 1
    const error = cause instanceof Error ? cause.message : String(cause)
    this.#complete(lane, { rowKey, outcome: { kind: 'unknown', error, attempts } })
  }

  #later(lane: Lane, waitMs: number): void {
    this.#options.clock.setTimer(waitMs, () => {
      if (this.#isClosed) return
      this.#makeReady(lane)
      this.#startReady()
    })
  }

  #complete({ node }: Lane, completion: EffectCompletion): void {
    if (this.#isClosed) return
    this.#completions.push({ node, completion })
    this.#options.onCompletion()
  }

  #effect(node: string): EffectNode {
    const effect = this.#options.task.effects.get(node)
    if (effect === undefined) throw new Error(`no effect ${node}`)
    return effect
  }
}

const laneKey = (node: string, rowKey: string): string =>
  `${node}\0${rowKey.slice(0, -seqCharacters)}`
