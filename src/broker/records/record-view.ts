/**
 * A fetched record as places in the buffer of its batch: nothing is made of it until it is asked.
 *
 * Made per record by the Kafka adapter's decoder; stands wherever a RawRecord does. 1. `key` and
 * `value` make a view each time; who decodes at once reads the places instead: see
 * `Serde.decodeSlice`. 2. The buffer is that of a whole fetch, or of a whole decompressed batch.
 */

import type { Headers } from '../../record.ts'
import type { RawRecord } from '../port.ts'

export class RecordView implements RawRecord {
  readonly offsetDelta: number
  readonly timestampMs: number
  readonly buffer: Buffer
  readonly keyStart: number
  /** Below `keyStart` for null. */
  readonly keyEnd: number
  readonly valueStart: number
  /** Below `valueStart` for null. */
  readonly valueEnd: number
  readonly headers: Headers

  // oxlint-disable-next-line max-params -- made per record: an options object would cost as much
  constructor(
    buffer: Buffer,
    offsetDelta: number,
    timestampMs: number,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    headers: Headers,
  ) {
    this.buffer = buffer
    this.offsetDelta = offsetDelta
    this.timestampMs = timestampMs
    this.keyStart = keyStart
    this.keyEnd = keyEnd
    this.valueStart = valueStart
    this.valueEnd = valueEnd
    this.headers = headers
  }

  /** The same record in a batch that begins so much earlier. */
  movedBy(offsets: number): RecordView {
    return new RecordView(
      this.buffer,
      this.offsetDelta + offsets,
      this.timestampMs,
      this.keyStart,
      this.keyEnd,
      this.valueStart,
      this.valueEnd,
      this.headers,
    )
  }

  get key(): Uint8Array | null {
    const { buffer, keyStart, keyEnd } = this
    return keyEnd < keyStart ? null : buffer.subarray(keyStart, keyEnd)
  }

  get value(): Uint8Array | null {
    const { buffer, valueStart, valueEnd } = this
    return valueEnd < valueStart ? null : buffer.subarray(valueStart, valueEnd)
  }
}
