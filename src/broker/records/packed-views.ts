/**
 * Reads packed records where they lie: one view per record, no copy and no typed array.
 *
 * Of what `PackedRecords` wrote, whole or cut between two records. Used by the embedded broker.
 */

import { noHeaders } from '../../record.ts'
import type { RawRecord } from '../port.ts'
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

/** Of the record in hand; an end below its start is null. */
export interface RecordPlace {
  readonly buffer: Buffer
  keyStart: number
  keyEnd: number
  valueStart: number
  valueEnd: number
}

/** @param visit  gets the same object each time, moved on */
export const eachRecordPlace = (
  { buffer, start, recordCount }: PackedPlace,
  visit: (place: RecordPlace) => void,
): void => {
  const reader = new VarintReader(buffer, start)
  const place: RecordPlace = { buffer, keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0 }
  for (let i = 0; i < recordCount; i++) {
    const recordBytes = reader.int32()
    const end = reader.position + recordBytes
    reader.position += 1 // attributes
    reader.int64()
    reader.int32()
    passContents(reader, place)
    visit(place)
    reader.position = end
  }
}

/** @returns views with offsets from 0, valid as long as nobody writes into the buffer */
export const packedViews = ({ buffer, start, recordCount, firstMs }: PackedPlace): RawRecord[] => {
  const reader = new VarintReader(buffer, start)
  const place: RecordPlace = { buffer, keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0 }
  const views: RawRecord[] = []
  for (let i = 0; i < recordCount; i++) {
    reader.int32() // length
    reader.position += 1 // attributes
    const timestampMs = firstMs + reader.int64()
    reader.int32() // place in its segment: `i` if it was not cut
    passContents(reader, place)
    const { keyStart, keyEnd, valueStart, valueEnd } = place
    const headerCount = reader.int32()
    const headers = headerCount === 0 ? noHeaders : reader.headers(headerCount)
    views.push(
      new RecordView(buffer, i, timestampMs, keyStart, keyEnd, valueStart, valueEnd, headers),
    )
  }
  return views
}

const passContents = (reader: VarintReader, place: RecordPlace): void => {
  const keyBytes = reader.int32()
  place.keyStart = reader.position
  place.keyEnd = place.keyStart + keyBytes
  if (keyBytes > 0) reader.position = place.keyEnd
  const valueBytes = reader.int32()
  place.valueStart = reader.position
  place.valueEnd = place.valueStart + valueBytes
  if (valueBytes > 0) reader.position = place.valueEnd
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
