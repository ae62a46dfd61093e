/**
 * When windows of a store close, are emitted, and are forgotten: the part all kinds share.
 *
 * ```
 *   stream time ──► close time = stream time − grace (sessions: − gap too)
 *   emitted up to an earlier close time ──► emit what closed since ──► delete what is past keeping
 * ```
 * 1. With `onClose` each window is emitted once, with the first record after it closed for which
 * the wall clock allows a look. 2. A store without a retention of its own keeps what is still to
 * be emitted, however far stream time jumps. 3. All of it is in the store's bounds: a restart and
 * an undone record change nothing.
 */

import { StreamRecord } from '../../record.ts'
import type { WindowBounds } from '../../stores/window-bounds.ts'
import type { WindowedRows } from '../../stores/windowed-rows.ts'
import type { WindowedStore } from '../../stores/windowed-store.ts'
import type { HotStream } from '../../topology/hot-stream.ts'
import { checkMs, closeDelayMs, type Windowed, type Windows } from '../../windows/windows.ts'
import type { EmitOptions } from './fold.ts'

const emitIntervalMsDefault = 1_000

export interface ClosingParts<K, A> {
  readonly out: HotStream<StreamRecord<Windowed<K>, A>>
  readonly store: WindowedStore<K, A>
  readonly rows: WindowedRows<K, A>
  readonly options: EmitOptions
}

export class Closing<K, A> {
  readonly emitsUpdates: boolean
  readonly #out: HotStream<StreamRecord<Windowed<K>, A>>
  readonly #rows: WindowedRows<K, A>
  readonly #windows: Windows
  readonly #closeDelayMs: number
  readonly #retentionMs: number
  readonly #isBounded: boolean
  readonly #emitIntervalMs: number

  /** @throws {RangeError} an interval that is no whole number of ms from 0 */
  constructor({ out, store, rows, options }: ClosingParts<K, A>) {
    const { emit = 'onUpdate', emitIntervalMs = emitIntervalMsDefault } = options
    checkMs('emitIntervalMs', emitIntervalMs, 0)
    this.emitsUpdates = emit === 'onUpdate'
    this.#out = out
    this.#rows = rows
    this.#windows = store.windows
    this.#closeDelayMs = closeDelayMs(store.windows)
    this.#retentionMs = store.retentionMs
    this.#isBounded = store.isBounded
    this.#emitIntervalMs = emitIntervalMs
  }

  /**
   * Moves stream time: that of the input where updates are emitted, so that a fast stream does not
   * make the records of a slow one late; one for all where a window is emitted once.
   *
   * @returns the close time: windows that end before it take no record
   */
  observe(timestampMs: number, input: number): number {
    const { bounds } = this.#rows
    const isFirst = input === 0 || !this.emitsUpdates
    const seenMs = isFirst ? bounds.streamTimeMs : (bounds.laterInputsMs[input - 1] ?? -Infinity)
    if (timestampMs <= seenMs) return seenMs - this.#closeDelayMs
    if (isFirst) this.#rows.setBounds({ ...bounds, streamTimeMs: timestampMs })
    else this.#rows.setBounds({ ...bounds, laterInputsMs: moved(bounds, input, timestampMs) })
    return timestampMs - this.#closeDelayMs
  }

  /** Called last for each record that counts for stream time. */
  settle(closeMs: number, { headers }: StreamRecord<unknown, unknown>): void {
    if (!this.emitsUpdates && this.#mayEmit(closeMs)) {
      for (const [key, { value, timestampMs }] of this.#closedBy(closeMs)) {
        this.#out.emit(new StreamRecord(key, value, timestampMs, headers))
      }
    }
    this.#forget()
  }

  /** Uses up the interval, whether or not there is something to emit. */
  #mayEmit(closeMs: number): boolean {
    const { bounds } = this.#rows
    const nowMs = this.#out.scope.nowMs()
    const waitMs = bounds.emitFromMs - nowMs
    if (waitMs > 0 && waitMs <= this.#emitIntervalMs) return false // more: the clock was set back
    if (this.#emitIntervalMs > 0) {
      this.#rows.setBounds({ ...bounds, emitFromMs: nowMs + this.#emitIntervalMs })
    }
    return closeMs > bounds.emittedMs && this.#lastClosedMs(closeMs) >= 0
  }

  /** What closed since the last emission; noted as emitted. */
  #closedBy(closeMs: number): Iterable<readonly [Windowed<K>, { value: A; timestampMs: number }]> {
    const { bounds } = this.#rows
    const { emittedMs, newestMs } = bounds
    const sinceMs = emittedMs === -Infinity ? 0 : this.#lastClosedMs(emittedMs) + 1
    const toMs = this.#lastClosedMs(closeMs)
    this.#rows.setBounds({ ...bounds, emittedMs: closeMs })
    if (this.#hasNoStartIn(sinceMs, toMs)) return []
    const keptFromMs = this.#isBounded ? newestMs - this.#retentionMs + 1 : 0
    return this.#rows.between(Math.max(sinceMs, keptFromMs), toMs)
  }

  /** Highest start (sessions: end) of a window that is over at this close time. */
  #lastClosedMs(closeMs: number): number {
    const windows = this.#windows
    if (windows.kind === 'session') return closeMs - 1
    return windows.kind === 'sliding' ? closeMs - windows.withinMs - 1 : closeMs - windows.sizeMs
  }

  #hasNoStartIn(fromMs: number, toMs: number): boolean {
    const windows = this.#windows
    if (windows.kind !== 'tumbling' && windows.kind !== 'hopping') return false
    return Math.ceil(fromMs / windows.advanceMs) * windows.advanceMs > toMs
  }

  #forget(): void {
    const { newestMs, emittedMs, lowestMs } = this.#rows.bounds
    const belowMs = newestMs - this.#retentionMs + 1
    if (lowestMs >= belowMs) return
    const isKept = !this.emitsUpdates && !this.#isBounded
    const toEmitMs = emittedMs === -Infinity ? 0 : this.#lastClosedMs(emittedMs) + 1
    this.#rows.deleteBelow(isKept ? Math.min(belowMs, toEmitMs) : belowMs)
  }
}

const moved = (
  { laterInputsMs }: WindowBounds,
  input: number,
  timestampMs: number,
): readonly number[] =>
  Array.from({ length: Math.max(laterInputsMs.length, input) }, (_, i) =>
    i === input - 1 ? timestampMs : (laterInputsMs[i] ?? -Infinity),
  )
