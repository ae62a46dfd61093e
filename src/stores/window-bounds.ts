/**
 * What a windowed store remembers beside its rows: one row of numbers.
 *
 * Read and written with each record by the aggregation that owns the store, so that lateness,
 * closing and throttling are the same after a restart and after a record that was undone. A "time"
 * of a window is its start, that of a session its end.
 */

import type { Slots } from '../../state/slots.ts'
import type { SlotView } from './slot-view.ts'

export interface WindowBounds {
  /** Highest timestamp among the records that had a key; -Infinity before the first. */
  readonly streamTimeMs: number
  /** Highest time of a window ever stored; -Infinity before the first. */
  readonly newestMs: number
  /** No row has a lower time; Infinity without rows. */
  readonly lowestMs: number
  /** Close time of the last emission: what had closed by then was emitted; -Infinity before. */
  readonly emittedMs: number
  /** Wall clock before which nothing is emitted; -Infinity if unthrottled so far. */
  readonly emitFromMs: number
  /** As `streamTimeMs`, of the second and later inputs of a cogroup. */
  readonly laterInputsMs: readonly number[]
}

export const noBounds: WindowBounds = {
  streamTimeMs: -Infinity,
  newestMs: -Infinity,
  lowestMs: Infinity,
  emittedMs: -Infinity,
  emitFromMs: -Infinity,
  laterInputsMs: [],
}

export const boundsSlot = 'b'

export const readBounds = (view: SlotView | Slots): WindowBounds =>
  (view.get(boundsSlot) as WindowBounds | undefined) ?? noBounds

/** The bounds with a row of this time in them; the same object if it lies between them already. */
export const including = (bounds: WindowBounds, timeMs: number): WindowBounds => {
  const { newestMs, lowestMs } = bounds
  if (timeMs <= newestMs && timeMs >= lowestMs) return bounds
  return {
    ...bounds,
    newestMs: Math.max(timeMs, newestMs),
    lowestMs: Math.min(timeMs, lowestMs),
  }
}

/** Numbers as f64 big-endian, in the order of the interface. */
export const windowBoundsCodec = {
  encode(bounds: WindowBounds): Uint8Array {
    const bytes = Buffer.allocUnsafe(headBytes + 8 * bounds.laterInputsMs.length)
    bytes.writeDoubleBE(bounds.streamTimeMs, 0)
    bytes.writeDoubleBE(bounds.newestMs, 8)
    bytes.writeDoubleBE(bounds.lowestMs, 16)
    bytes.writeDoubleBE(bounds.emittedMs, 24)
    bytes.writeDoubleBE(bounds.emitFromMs, 32)
    bounds.laterInputsMs.forEach((timeMs, i) => bytes.writeDoubleBE(timeMs, headBytes + 8 * i))
    return bytes
  },
  decode(bytes: Uint8Array): WindowBounds {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return {
      streamTimeMs: view.getFloat64(0),
      newestMs: view.getFloat64(8),
      lowestMs: view.getFloat64(16),
      emittedMs: view.getFloat64(24),
      emitFromMs: view.getFloat64(32),
      laterInputsMs: Array.from({ length: (bytes.length - headBytes) / 8 }, (_, i) =>
        view.getFloat64(headBytes + 8 * i),
      ),
    }
  },
}

const headBytes = 40
