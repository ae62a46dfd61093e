/**
 * Aggregates by key and tumbling or hopping window.
 *
 * 1. Each window is late on its own: it is open while its end is past stream time − grace. 2. Null
 * values are folded, as in Kafka Streams, unless the fold ignores them. 3. A record without a key
 * is dropped and does not move stream time.
 */

import { StreamRecord } from '../../record.ts'
import type { TimeWindowRows } from '../../stores/time-window-rows.ts'
import type { HotStream } from '../../topology/hot-stream.ts'
import type { TimeWindows, Windowed } from '../../windows/windows.ts'
import { Closing, type ClosingParts } from './closing.ts'
import type { Fold } from './fold.ts'

export interface TimeWindowParts<K, A> extends ClosingParts<K, A> {
  readonly windows: TimeWindows
  readonly rows: TimeWindowRows<K, A>
}

export class TimeWindowAggregation<K, A> {
  readonly #out: HotStream<StreamRecord<Windowed<K>, A | undefined>>
  readonly #windows: TimeWindows
  readonly #rows: TimeWindowRows<K, A>
  readonly #closing: Closing<K, A>

  constructor(parts: TimeWindowParts<K, A>) {
    this.#out = parts.out
    this.#windows = parts.windows
    this.#rows = parts.rows
    this.#closing = new Closing(parts)
    const { scope, node } = parts.out
    scope.addPrefetch({ node, reads: 'key', run: (records) => this.#prefetch(records) })
  }

  add<V>(record: StreamRecord<K, V>, fold: Fold<K, V, A>): void {
    const { key, value, timestampMs } = record
    const { scope, node } = this.#out
    if (key === undefined) return scope.countDropped(node.name, 'nullKey')
    if (value === undefined && fold.ignoresNull) return scope.countDropped(node.name, 'nullValue')
    const closeMs = this.#closing.observe(timestampMs, fold.input)
    const { sizeMs, advanceMs } = this.#windows
    for (let start = this.#firstStartMs(timestampMs); start <= timestampMs; start += advanceMs) {
      if (start + sizeMs > closeMs) this.#update(record, start, fold)
      else scope.countDropped(node.name, 'late')
    }
    this.#closing.settle(closeMs, record)
  }

  #update<V>(record: StreamRecord<K, V>, startMs: number, fold: Fold<K, V, A>): void {
    const { key, value, timestampMs, headers } = record
    const stored = this.#rows.row(key, startMs)
    const updated = fold.step(stored?.value, value, key)
    const isLate = stored !== undefined && stored.timestampMs > timestampMs
    const updatedMs = isLate ? stored.timestampMs : timestampMs
    this.#rows.put(key, startMs, updated, updatedMs)
    if (!this.#closing.emitsUpdates) return
    const window = { key, startMs, endMs: startMs + this.#windows.sizeMs }
    this.#out.emit(new StreamRecord(window, updated, updatedMs, headers))
  }

  #firstStartMs(timestampMs: number): number {
    const { sizeMs, advanceMs } = this.#windows
    return Math.floor(Math.max(0, timestampMs - sizeMs + advanceMs) / advanceMs) * advanceMs
  }

  #prefetch(records: readonly StreamRecord<unknown, unknown>[]): void {
    const { advanceMs } = this.#windows
    const wanted: (readonly [K, number])[] = []
    for (const { key, timestampMs } of records) {
      if (key === undefined) continue
      for (let start = this.#firstStartMs(timestampMs); start <= timestampMs; start += advanceMs) {
        wanted.push([key as K, start])
      }
    }
    this.#rows.prefetch(wanted)
  }
}
