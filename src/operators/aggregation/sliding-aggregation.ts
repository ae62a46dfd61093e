/**
 * Aggregates by key and sliding window: one window for every set of records `withinMs` apart.
 *
 * A record at `t` belongs to each window `[s, s + within]` with `t − within ≤ s ≤ t`. Of these,
 * those exist that end at a record (`[t − within, t]`) or begin right after one (`[u + 1, …]`) and
 * are not empty; more would hold the same records. So a record updates the windows around it and
 * may make three: the one that begins after the record before it, the one it ends, and the one
 * that begins after itself, which holds what came later already.
 * 1. For `t < within` windows cannot begin below 0: all such records are in `[0, within]`. 2. A
 * window is open while its end is not before stream time − grace. 3. Records without key or value
 * are dropped and do not move stream time. The order of outputs is that of Kafka Streams.
 */

import { StreamRecord } from '../../record.ts'
import type { SlidingRows, SlidingWindow } from '../../stores/sliding-rows.ts'
import type { HotStream } from '../../topology/hot-stream.ts'
import type { SlidingWindows, Windowed } from '../../windows/windows.ts'
import { Closing, type ClosingParts } from './closing.ts'
import type { Fold } from './fold.ts'

export interface SlidingParts<K, A> extends ClosingParts<K, A> {
  readonly windows: SlidingWindows
  readonly rows: SlidingRows<K, A>
}

/** A record on its way through the windows. */
interface Arrival<K, V, A> {
  readonly record: StreamRecord<K, V>
  readonly fold: Fold<K, V, A>
  readonly closeMs: number
  /** Starts of the windows of its key that were looked at. */
  readonly seen: Set<number>
}

export class SlidingAggregation<K, A> {
  readonly #out: HotStream<StreamRecord<Windowed<K>, A | undefined>>
  readonly #withinMs: number
  readonly #rows: SlidingRows<K, A>
  readonly #closing: Closing<K, A>

  constructor(parts: SlidingParts<K, A>) {
    this.#out = parts.out
    this.#withinMs = parts.windows.withinMs
    this.#rows = parts.rows
    this.#closing = new Closing(parts)
    const { scope, node } = parts.out
    scope.addPrefetch({ node, reads: 'key', run: (records) => this.#prefetch(records) })
  }

  add<V>(record: StreamRecord<K, V>, fold: Fold<K, V, A>): void {
    const { key, value, timestampMs } = record
    const { scope, node } = this.#out
    if (key === undefined) return scope.countDropped(node.name, 'nullKey')
    if (value === undefined) return scope.countDropped(node.name, 'nullValue')
    const closeMs = this.#closing.observe(timestampMs, fold.input)
    if (timestampMs + 1 + this.#withinMs <= closeMs) {
      scope.countDropped(node.name, 'late')
      return
    }
    const arrival = { record, fold, closeMs, seen: new Set<number>() }
    if (timestampMs < this.#withinMs) return this.#addEarly(arrival)
    this.#addToExisting(arrival)
    this.#closing.settle(closeMs, record)
  }

  /** Newest window first. */
  #addToExisting<V>(arrival: Arrival<K, V, A>): void {
    const { key, timestampMs } = arrival.record
    const fromMs = timestampMs - 2 * this.#withinMs
    const windows = this.#rows.windowsOf(key, fromMs, timestampMs + 1)
    let before: SlidingWindow<A> | undefined
    let after: SlidingWindow<A> | undefined
    let previousMs: number | undefined
    let isEndedHere = false
    for (let i = windows.length - 1; i >= 0; i--) {
      const window = windows[i]!
      const endMs = window.startMs + this.#withinMs
      arrival.seen.add(window.startMs)
      if (window.startMs === timestampMs + 1) continue
      if (endMs < timestampMs) {
        before = window
        previousMs = window.timestampMs
        break
      }
      if (endMs > timestampMs) after ??= window
      this.#update(arrival, window.startMs, window)
      if (endMs > timestampMs) continue
      isEndedHere = true
      if (window.timestampMs >= timestampMs) return // a record of this time made all there is
      previousMs = window.timestampMs
    }
    this.#makeAfterPrevious(arrival, previousMs)
    if (!isEndedHere) {
      const isReached = previousMs !== undefined && timestampMs - this.#withinMs <= previousMs
      this.#update(arrival, timestampMs - this.#withinMs, isReached ? before : undefined)
    }
    this.#makeAfter(arrival, after)
  }

  /** Oldest window first, `[0, within]` last. */
  #addEarly<V>(arrival: Arrival<K, V, A>): void {
    const { key, timestampMs } = arrival.record
    let combined: SlidingWindow<A> | undefined
    let after: SlidingWindow<A> | undefined
    for (const window of this.#rows.windowsOf(key, 0, timestampMs + 1)) {
      arrival.seen.add(window.startMs)
      if (window.startMs === 0) combined = window
      else if (window.startMs <= timestampMs) {
        after = window
        this.#update(arrival, window.startMs, window)
      }
    }
    const isLast = combined !== undefined && combined.timestampMs < timestampMs
    const isInOrder = combined === undefined || combined.timestampMs <= timestampMs
    this.#makeAfter(arrival, after ?? (isInOrder ? undefined : combined))
    if (isLast) {
      const startMs = combined!.timestampMs + 1
      if (!arrival.seen.has(startMs)) this.#update(arrival, startMs, undefined)
    }
    this.#update(arrival, 0, combined)
  }

  /** The window that begins right after the record before this one, if this one is in it. */
  #makeAfterPrevious<V>(arrival: Arrival<K, V, A>, previousMs: number | undefined): void {
    if (previousMs === undefined || arrival.seen.has(previousMs + 1)) return
    if (previousMs + 1 + this.#withinMs < arrival.record.timestampMs) return
    this.#update(arrival, previousMs + 1, undefined)
  }

  /** The window that begins right after this record: holds what came later, without this one. */
  #makeAfter<V>({ record, seen }: Arrival<K, V, A>, later: SlidingWindow<A> | undefined): void {
    const { key, timestampMs } = record
    if (later === undefined || later.timestampMs <= timestampMs) return
    if (seen.has(timestampMs + 1)) return
    this.#rows.put(key, timestampMs + 1, later.value, later.timestampMs)
    this.#emit(record, timestampMs + 1, later)
  }

  #update<V>(
    { record, fold, closeMs }: Arrival<K, V, A>,
    startMs: number,
    from: SlidingWindow<A> | undefined,
  ): void {
    const { key, value, timestampMs } = record
    if (startMs + this.#withinMs < closeMs) {
      return this.#out.scope.countDropped(this.#out.node.name, 'late')
    }
    const updated = fold.step(from?.value, value, key)
    const updatedMs = Math.max(timestampMs, from?.timestampMs ?? timestampMs)
    this.#rows.put(key, startMs, updated, updatedMs)
    this.#emit(record, startMs, { value: updated, timestampMs: updatedMs })
  }

  #emit(
    { key, headers }: StreamRecord<K, unknown>,
    startMs: number,
    { value, timestampMs }: { readonly value: A | undefined; readonly timestampMs: number },
  ): void {
    if (!this.#closing.emitsUpdates) return
    const window = { key, startMs, endMs: startMs + this.#withinMs }
    this.#out.emit(new StreamRecord(window, value, timestampMs, headers))
  }

  #prefetch(records: readonly StreamRecord<unknown, unknown>[]): void {
    this.#rows.prefetch(
      records.flatMap(({ key, timestampMs }) =>
        key === undefined ? [] : [[key as K, timestampMs] as const],
      ),
    )
  }
}
