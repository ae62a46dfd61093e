/**
 * Rows of tumbling and hopping windows: one per key and window, in order of their starts.
 *
 * Slot layout, big-endian; `time` is `orderedMs`:
 * ```
 *   ['w'][windowStart time][key] → [timestampMs u64][value]    a record costs a point per window
 *   ['b']                        → window-bounds.ts
 * ```
 * The rows are their own index of time: what closes and what expires is one scan from a bound that
 * is known. The windows of one key are at known starts, so they too are points.
 */

import { msFromOrdered, orderedMs } from '../../state/key-layout.ts'
import type { Slots } from '../../state/slots.ts'
import type { Serde } from '../serde/serde.ts'
import type { TimeWindows } from '../windows/windows.ts'
import { KeyCodec } from './key-codec.ts'
import { removeBelow } from './remove-below.ts'
import type { SlotView } from './slot-view.ts'
import type { Timestamped } from './table-store.ts'
import { TimePrefixes } from './time-prefixes.ts'
import { boundsSlot, including, readBounds, type WindowBounds } from './window-bounds.ts'
import {
  deletionStepMs,
  type WindowedReader,
  type WindowedRows,
  type WindowRow,
} from './windowed-rows.ts'

export interface TimeWindowOptions<K> {
  readonly key: Serde<K>
  readonly windows: TimeWindows
  readonly retentionMs: number
}

export class TimeWindowReader<K, V> implements WindowedReader<K, V> {
  protected readonly keys: KeyCodec<K>
  protected readonly retentionMs: number
  readonly #windows: TimeWindows
  readonly #view: SlotView
  readonly #prefixes = new TimePrefixes('w')

  constructor(view: SlotView, { key, windows, retentionMs }: TimeWindowOptions<K>) {
    this.keys = new KeyCodec(key)
    this.retentionMs = retentionMs
    this.#windows = windows
    this.#view = view
  }

  get bounds(): WindowBounds {
    return readBounds(this.#view)
  }

  get(key: K, startMs: number): V | undefined {
    return startMs < this.#visibleFromMs() ? undefined : this.row(key, startMs)?.value
  }

  row(key: K, startMs: number): Timestamped<V> | undefined {
    return this.#view.get(this.slotOf(key, startMs)) as Timestamped<V> | undefined
  }

  *fetch(key: K, fromMs: number, toMs: number): Generator<WindowRow<K, V>> {
    const { sizeMs, advanceMs } = this.#windows
    const { lowestMs, newestMs } = this.bounds
    const from = Math.max(fromMs, lowestMs, this.#visibleFromMs())
    for (let startMs = Math.ceil(from / advanceMs) * advanceMs; startMs < toMs;) {
      if (startMs > newestMs) return
      const row = this.row(key, startMs)
      if (row !== undefined) yield [{ key, startMs, endMs: startMs + sizeMs }, row]
      startMs += advanceMs
    }
  }

  *all(fromMs: number, toMs: number): Generator<WindowRow<K, V>> {
    yield* this.between(Math.max(fromMs, this.#visibleFromMs()), toMs - 1)
  }

  *between(fromMs: number, toMs: number): Generator<WindowRow<K, V>> {
    const { sizeMs } = this.#windows
    const { lowestMs, newestMs } = this.bounds
    const [from, to] = [Math.max(fromMs, lowestMs), Math.min(toMs, newestMs)]
    if (from > to) return
    const range = { gte: `w${orderedMs(from)}`, lt: `w${orderedMs(to + 1)}` }
    for (const [slot, row] of this.#view.scan(range)) {
      const startMs = msFromOrdered(slot, 1)
      const key = this.keys.fromSlot(slot.slice(9))
      yield [{ key, startMs, endMs: startMs + sizeMs }, row as Timestamped<V>]
    }
  }

  protected slotOf(key: K, startMs: number): string {
    return this.#prefixes.of(startMs) + this.keys.toSlot(key)
  }

  #visibleFromMs(): number {
    return this.bounds.newestMs - this.retentionMs + 1
  }
}

/** The face for the aggregation; its reads see the writes of the record in flight. */
export class TimeWindowRows<K, V> extends TimeWindowReader<K, V> implements WindowedRows<K, V> {
  readonly #slots: Slots
  readonly #stepMs: number

  constructor(slots: Slots, options: TimeWindowOptions<K>) {
    super(slots, options)
    this.#slots = slots
    this.#stepMs = deletionStepMs(options.retentionMs)
  }

  setBounds(bounds: WindowBounds): void {
    this.#slots.put(boundsSlot, bounds)
  }

  /** @param value  `undefined` deletes the window */
  put(key: K, startMs: number, value: V | undefined, timestampMs: number): void {
    const slot = this.slotOf(key, startMs)
    if (value === undefined) return this.#slots.delete(slot)
    this.#slots.put(slot, { value, timestampMs } satisfies Timestamped<V>)
    const { bounds } = this
    const wider = including(bounds, startMs)
    if (wider !== bounds) this.setBounds(wider)
  }

  deleteBelow(timeMs: number): void {
    const { bounds } = this
    const belowMs = Math.floor(timeMs / this.#stepMs) * this.#stepMs
    if (bounds.lowestMs >= belowMs) return
    const over = { kind: 'w', fromMs: bounds.lowestMs, belowMs }
    const lowestMs = removeBelow(this.#slots, over, (slot) => this.#slots.delete(slot))
    this.setBounds({ ...bounds, lowestMs })
  }

  /** A hint: reads the rows of these windows in one call. */
  prefetch(windows: readonly (readonly [K, number])[]): void {
    this.#slots.prefetch(windows.map(([key, startMs]) => this.slotOf(key, startMs)))
  }
}
