/**
 * The store of a windowed aggregate: the handle that names it and says how time is divided.
 *
 * Rows and their layouts are in `time-window-rows.ts`, `sliding-rows.ts` and `session-rows.ts`. The
 * layout text carries the width of the windows, so that a store is not opened for others.
 */

import type { SlotCodec, Slots } from '../../state/slots.ts'
import type { Serde, Serdes } from '../serde/serde.ts'
import {
  layoutOf,
  openMs,
  type SessionWindows,
  type SlidingWindows,
  type TimeWindows,
  type Windows,
} from '../windows/windows.ts'
import { cleanView } from './slot-view.ts'
import { SessionReader, SessionRows, sessionsCodec } from './session-rows.ts'
import { SlidingReader, slidingCodec, SlidingRows } from './sliding-rows.ts'
import type { Store } from './store.ts'
import { type StoreVersion, versionFields } from './store-version.ts'
import { timedCodec } from './table-store.ts'
import { TimeWindowReader, TimeWindowRows } from './time-window-rows.ts'
import { boundsSlot, windowBoundsCodec } from './window-bounds.ts'
import type { WindowedReader } from './windowed-rows.ts'

export interface WindowedStoreOptions<K, V, W extends Windows>
  extends Serdes<K, V>, StoreVersion<NoInfer<V>> {
  readonly windows: W
  /**
   * How far the start of a window (the end of a session) may lie behind the newest, in ms.
   *
   * Default: for as long as a record may come into it, and until it was emitted where that happens
   * on close. Given, it is a hard bound: rows behind it are not seen by queries, and a window that
   * stream time jumped over before it could be emitted is lost, as in Kafka Streams.
   */
  readonly retentionMs?: number
}

/** The rows of each kind of windows. */
export interface WindowedFaces<K, V> {
  readonly tumbling: TimeWindowRows<K, V>
  readonly hopping: TimeWindowRows<K, V>
  readonly sliding: SlidingRows<K, V>
  readonly session: SessionRows<K, V>
}

export interface WindowedStore<K, V, W extends Windows = Windows>
  extends Store<WindowedFaces<K, V>[W['kind']], WindowedReader<K, V>>, Serdes<K, V> {
  readonly kind: 'windowed'
  readonly windows: W
  readonly retentionMs: number
  /** The caller set the retention: it bounds even what has not been emitted. */
  readonly isBounded: boolean
}

/**
 * Names the store of a windowed aggregate.
 *
 * @param name  of the store and of the aggregate's node; unique and stable
 * @throws {RangeError} `retentionMs` is too short for a window that is still open
 * @example     windowedStore('per-minute', { key: utf8, value: json<number>(),
 *                windows: tumbling({ sizeMs: minutes(1), graceMs: seconds(10) }) })
 */
export const windowedStore = <K, V, const W extends Windows>(
  name: string,
  options: WindowedStoreOptions<K, V, W>,
): WindowedStore<K, V, W> => {
  const { key, value, windows, retentionMs = openMs(windows) } = options
  if (!(retentionMs >= openMs(windows))) {
    throw new RangeError(
      `store ${name}: retentionMs is ${retentionMs}, but windows are open for ${openMs(windows)}`,
    )
  }
  const faces = facesOf<K, V>({ key, value, windows, retentionMs })
  return {
    name,
    kind: 'windowed',
    key,
    value,
    windows,
    retentionMs,
    isBounded: options.retentionMs !== undefined,
    layout: `windowed/1 ${layoutOf(windows)} key=${key.format} value=${value.format}`,
    changelog: { cleanupPolicy: 'compact' }, // rows end by tombstones; `delete` would lose bounds
    ...versionFields(name, options, {
      value,
      codecOf: (values) => withBounds(facesOf({ key, value: values, windows, retentionMs }).codec),
    }),
    open: faces.open as (slots: Slots) => WindowedFaces<K, V>[W['kind']],
    reader: faces.reader,
  }
}

interface Faces<K, V> {
  readonly codec: SlotCodec
  open(slots: Slots): WindowedFaces<K, V>[Windows['kind']]
  reader(slots: Slots): WindowedReader<K, V>
}

interface FaceOptions<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  readonly windows: Windows
  readonly retentionMs: number
}

const facesOf = <K, V>({ key, value, windows, retentionMs }: FaceOptions<K, V>): Faces<K, V> => {
  switch (windows.kind) {
    case 'session': {
      const options = { key, windows: windows satisfies SessionWindows, retentionMs }
      return {
        codec: sessionsCodec(value),
        open: (slots) => new SessionRows<K, V>(slots, options),
        reader: (slots) => new SessionReader<K, V>(cleanView(slots), options),
      }
    }
    case 'sliding': {
      const options = { key, windows: windows satisfies SlidingWindows, retentionMs }
      return {
        codec: slidingCodec(value),
        open: (slots) => new SlidingRows<K, V>(slots, options),
        reader: (slots) => new SlidingReader<K, V>(cleanView(slots), options),
      }
    }
    default: {
      const options = { key, windows: windows satisfies TimeWindows, retentionMs }
      return {
        codec: timedCodec(value),
        open: (slots) => new TimeWindowRows<K, V>(slots, options),
        reader: (slots) => new TimeWindowReader<K, V>(cleanView(slots), options),
      }
    }
  }
}

const withBounds = (rows: SlotCodec): SlotCodec => ({
  encode: (stored, slot) =>
    slot === boundsSlot ? windowBoundsCodec.encode(stored as never) : rows.encode(stored, slot),
  decode: (bytes, slot) =>
    slot === boundsSlot ? windowBoundsCodec.decode(bytes) : rows.decode(bytes, slot),
})
