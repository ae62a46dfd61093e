/**
 * Reads packed records where they lie: one view per record, no copy and no typed array.
 *
 * Of what `PackedRecords` wrote, whole or cut between two records. Used by the embedded broker.
 */

import { noHeaders } from '../../record.ts'
import { type RawRecord } from '../port.ts'
import { RecordView } from './record-view.ts'
import { VarintReader } from './varint-reader.ts'

export interface PackedPlace {
  readonly buffer: Buffer
  /** Of the first record. */
  readonly start: number
  readonly recordCount: number
  /** What the times of the records count from. */
  readonly firstMs: number
}

/** @returns views with offsets from 0, valid as long as nobody writes into the buffer */
export const packedViews = ({ buffer, start, recordCount, firstMs }: PackedPlace): RawRecord[] => {
  const reader = new VarintReader(buffer, start)
  const views: RawRecord[] = []
  for (let i = 0; i < recordCount; i++) {
    reader.int32() // length
    reader.position += 1 // attributes
    const timestampMs = firstMs + reader.int64()
    reader.int32() // place in its segment: `i` if it was not cut
    const keyBytes = reader.int32()
    const keyStart = reader.position
    if (keyBytes > 0) reader.position += keyBytes
    const valueBytes = reader.int32()
    const valueStart = reader.position
    if (valueBytes > 0) reader.position += valueBytes
    const headerCount = reader.int32()
    views.push(
      new RecordView(
        buffer,
        i,
        timestampMs,
        keyStart,
        keyStart + keyBytes,
        valueStart,
        valueStart + valueBytes,
        headerCount === 0 ? noHeaders : reader.headers(headerCount),
      ),
    )
  }
  return views
}

/** Where packed records from `start` to `end` may be cut, so that no piece exceeds the bounds. */
export const packedCuts = (
  { buffer, start, recordCount, firstMs }: PackedPlace,
  end: number,
  { bytesMax, recordsMax }: { readonly bytesMax: number; readonly recordsMax: number },
): readonly (PackedPlace & { readonly end: number })[] => {
  if (end - start <= bytesMax && recordCount <= recordsMax) {
    return [{ buffer, start, end, recordCount, firstMs }]
  }
  const reader = new VarintReader(buffer, start)
  const cuts: (PackedPlace & { readonly end: number })[] = []
  let [from, count] = [start, 0]
  while (reader.position < end) {
    const recordStart = reader.position
    const recordBytes = reader.int32()
    const recordEnd = reader.position + recordBytes
    if (count > 0 && (recordEnd - from > bytesMax || count === recordsMax)) {
      cuts.push({ buffer, start: from, end: recordStart, recordCount: count, firstMs })
      from = recordStart
      count = 0
    }
    count += 1
    reader.position = recordEnd
  }
  cuts.push({ buffer, start: from, end, recordCount: count, firstMs })
  return cuts
}
