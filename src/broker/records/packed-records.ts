/**
 * Records of one partition as the bytes that will travel: written once, when they are staged.
 *
 * Filled by a task or by the commit, sent by the Kafka adapter as they are, taken apart again by
 * whoever wants records. 1. A segment is a record batch (magic 2) without its header, for which
 * there is room. 2. `mark` and `rewind` undo what a failed record staged. 3. Nothing is kept of
 * the keys and values that were appended.
 */

import { type Headers, noHeaders } from '../../record.ts'
import type { ProduceRecord } from '../port.ts'
import { headerBytes } from './batch-header.ts'
import { eachRecordPlace, type PackedPlace, packedViews, type RecordPlace } from './packed-views.ts'
import { int32Bytes, int64Bytes, VarintWriter } from './varint-writer.ts'

/** What is written: text stands for its UTF-8 and is well-formed. */
export type PackedContent = string | Uint8Array | null

/** Content that writes itself: a `DirectValue` of `state`, which this room does not know. */
export interface SelfWriting {
  /** Its bytes, or a guess at them. */
  readonly length: number
  /** At most. */
  readonly bytesMax: number
  /** Called again if the guess was wrong. */
  writeTo(writer: VarintWriter): void
}

export interface PackedSegment {
  readonly firstIndex: number
  readonly recordCount: number
  readonly firstMs: number
  readonly maxMs: number
  /** Room for the header, then the records. */
  readonly buffer: Buffer
}

export interface PackedRecordsOptions {
  /** Of one segment with its header; a record that is larger gets one of its own. */
  readonly segmentBytesMax: number
  /** A guess at the bytes of all records, so that buffers need not grow. */
  readonly expectedBytes: number
}

class Segment {
  readonly writer: VarintWriter
  readonly firstIndex: number
  readonly firstMs: number
  maxMs: number
  count = 0

  constructor(capacityBytes: number, firstIndex: number, firstMs: number) {
    this.writer = new VarintWriter(capacityBytes, headerBytes)
    this.firstIndex = firstIndex
    this.firstMs = firstMs
    this.maxMs = firstMs
  }
}

const placeOf = ({ writer, count, firstMs }: Segment): PackedPlace => ({
  buffer: writer.buffer,
  start: headerBytes,
  recordCount: count,
  firstMs,
})

const capacityBytesMin = 1_024
/** Length, attributes, time, offset, two lengths and the number of headers, at their longest. */
const overheadBytesMax = 5 + 1 + 10 + 5 + 5 + 5 + 5
/** Their number. */
const noHeadersBytes = 1

export class PackedRecords {
  readonly #segmentBytesMax: number
  readonly #expectedBytes: number
  #segments: Segment[] = []
  #last: Segment | undefined
  #closedBytes = 0
  #markedSegments = 0
  #markedClosedBytes = 0
  #markedPosition = 0
  #markedCount = 0
  #markedMaxMs = 0
  /** True if a record without a key was ever appended. */
  hasNullKey = false

  constructor({ segmentBytesMax, expectedBytes }: PackedRecordsOptions) {
    this.#segmentBytesMax = segmentBytesMax
    this.#expectedBytes = expectedBytes
  }

  get recordCount(): number {
    return this.#last === undefined ? 0 : this.#last.firstIndex + this.#last.count
  }

  get sizeBytes(): number {
    return this.#closedBytes + (this.#last?.writer.position ?? 0)
  }

  get largestSegmentBytes(): number {
    return Math.max(0, ...this.#segments.map(({ writer }) => writer.position))
  }

  append(
    timestampMs: number,
    key: PackedContent,
    value: PackedContent,
    headers: Headers = noHeaders,
  ): void {
    const ofHeaders = headersBytes(headers)
    const boundBytes = overheadBytesMax + boundOf(key) + boundOf(value) + ofHeaders
    const segment = this.#roomFor(timestampMs, boundBytes)
    const deltaMs = timestampMs - segment.firstMs
    writeContents(segment.writer, deltaMs, segment.count, key, value, ofHeaders)
    if (key === null) this.hasNullKey = true
    endRecord(segment, timestampMs, headers)
  }

  /**
   * As `append`, without headers: a row of a store.
   *
   * @param latin1Key  one character per byte
   */
  appendRow(timestampMs: number, latin1Key: string, value: PackedContent | SelfWriting): void {
    const keyBytes = latin1Key.length
    const segment = this.#roomFor(timestampMs, overheadBytesMax + keyBytes + boundOf(value))
    const { writer } = segment
    const deltaMs = timestampMs - segment.firstMs
    const start = writer.position
    let valueBytes = value === null ? -1 : value.length
    for (;;) {
      writeHead(writer, deltaMs, segment.count, keyBytes, valueBytes, noHeadersBytes)
      writer.latin1(latin1Key)
      writer.int32(valueBytes)
      if (value === null) break
      const valueAt = writer.position
      writeValue(writer, value)
      const writtenBytes = writer.position - valueAt
      if (writtenBytes === valueBytes) break
      writer.position = start
      valueBytes = writtenBytes
    }
    endRecord(segment, timestampMs, noHeaders)
  }

  /** As `append` of the contents as they lie. */
  appendCopy(timestampMs: number, place: RecordPlace, headers: Headers): void {
    const { keyStart, keyEnd, valueStart, valueEnd } = place
    const keyBytes = keyEnd < keyStart ? -1 : keyEnd - keyStart
    const valueBytes = valueEnd < valueStart ? -1 : valueEnd - valueStart
    const ofHeaders = headersBytes(headers)
    const contentBytes = Math.max(0, keyBytes) + Math.max(0, valueBytes)
    const segment = this.#roomFor(timestampMs, overheadBytesMax + contentBytes + ofHeaders)
    const { writer } = segment
    const deltaMs = timestampMs - segment.firstMs
    writeHead(writer, deltaMs, segment.count, keyBytes, valueBytes, ofHeaders)
    if (keyBytes > 0) writer.copy(place.buffer, keyStart, keyEnd)
    writer.int32(valueBytes)
    if (valueBytes > 0) writer.copy(place.buffer, valueStart, valueEnd)
    if (keyBytes < 0) this.hasNullKey = true
    endRecord(segment, timestampMs, headers)
  }

  /** `rewind` comes back to here. */
  mark(): void {
    const last = this.#last
    this.#markedSegments = this.#segments.length
    this.#markedClosedBytes = this.#closedBytes
    if (last === undefined) return
    this.#markedPosition = last.writer.position
    this.#markedCount = last.count
    this.#markedMaxMs = last.maxMs
  }

  rewind(): void {
    this.#segments.length = this.#markedSegments
    this.#closedBytes = this.#markedClosedBytes
    const last = this.#segments[this.#markedSegments - 1]
    this.#last = last
    if (last === undefined) return
    last.writer.position = this.#markedPosition
    last.count = this.#markedCount
    last.maxMs = this.#markedMaxMs
  }

  /** After the last append: takes as much memory as it has bytes, for who keeps it. */
  trim(): void {
    for (const { writer } of this.#segments) writer.trim()
  }

  /** Nobody looks at the bytes any more, nor at views of them: the memory is used again. */
  release(): void {
    for (const { writer } of this.#segments) writer.release()
    this.#segments = []
    this.#last = undefined
  }

  /** After the last append, which may move the bytes. */
  segments(): readonly PackedSegment[] {
    return this.#segments.map(({ writer, firstIndex, firstMs, maxMs, count }) => ({
      firstIndex,
      firstMs,
      maxMs,
      recordCount: count,
      buffer: writer.buffer.subarray(0, writer.position),
    }))
  }

  /** Views, made anew at each call; after the last append. */
  records(): readonly ProduceRecord[] {
    return this.#segments.flatMap((segment) => packedViews(placeOf(segment)))
  }

  /** Where key and value of each record lie; the place is the same object at every call. */
  eachPlace(visit: (place: RecordPlace) => void): void {
    for (const segment of this.#segments) eachRecordPlace(placeOf(segment), visit)
  }

  #roomFor(timestampMs: number, boundBytes: number): Segment {
    let segment = this.#last
    if (segment === undefined || segment.writer.position + boundBytes > this.#segmentBytesMax) {
      segment = this.#open(timestampMs, boundBytes)
    }
    segment.writer.reserve(boundBytes)
    return segment
  }

  #open(timestampMs: number, boundBytes: number): Segment {
    const usedBytes = this.sizeBytes
    const guessBytes = Math.max(capacityBytesMin, (this.#expectedBytes - usedBytes) * 1.1)
    const capacityBytes = Math.max(
      headerBytes + boundBytes,
      Math.ceil(Math.min(this.#segmentBytesMax, usedBytes > 0 ? guessBytes + 16_384 : guessBytes)),
    )
    const segment = new Segment(capacityBytes, this.recordCount, timestampMs)
    this.#closedBytes = usedBytes
    this.#segments.push(segment)
    this.#last = segment
    return segment
  }
}

const writeValue = (writer: VarintWriter, value: string | Uint8Array | SelfWriting): void => {
  if (typeof value !== 'string' && 'writeTo' in value) value.writeTo(writer)
  else writer.content(value)
}

/** What every record ends with: its headers; the segment has one more. */
const endRecord = (segment: Segment, timestampMs: number, headers: Headers): void => {
  const { writer } = segment
  writer.int32(headers.length)
  if (headers.length > 0) writeHeaders(writer, headers)
  if (timestampMs > segment.maxMs) segment.maxMs = timestampMs
  segment.count += 1
}

/** Up to the length of the key, which follows. */
// oxlint-disable-next-line max-params -- per record: an options object would cost as much
const writeHead = (
  writer: VarintWriter,
  deltaMs: number,
  index: number,
  keyBytes: number,
  valueBytes: number,
  ofHeaders: number,
): void => {
  writer.int32(bodyBytes(deltaMs, index, keyBytes, valueBytes) + ofHeaders)
  writer.int32(0) // attributes: none are defined
  writer.int64(deltaMs)
  writer.int32(index)
  writer.int32(keyBytes)
}

/** All but the headers, which follow. */
// oxlint-disable-next-line max-params -- per record: an options object would cost as much
const writeContents = (
  writer: VarintWriter,
  deltaMs: number,
  index: number,
  key: PackedContent,
  value: PackedContent,
  ofHeaders: number,
): void => {
  const start = writer.position
  // nearly all text is ASCII: as many bytes as characters
  let keyBytes = key === null ? -1 : key.length
  let valueBytes = value === null ? -1 : value.length
  for (;;) {
    writeHead(writer, deltaMs, index, keyBytes, valueBytes, ofHeaders)
    const isKeyExact = key === null || writer.content(key) === keyBytes
    writer.int32(valueBytes)
    if (isKeyExact && (value === null || writer.content(value) === valueBytes)) break
    writer.position = start
    keyBytes = exactBytes(key)
    valueBytes = exactBytes(value)
  }
}

/** Of a record without its own length and its headers. */
const bodyBytes = (deltaMs: number, index: number, keyBytes: number, valueBytes: number): number =>
  1
  + int64Bytes(deltaMs)
  + int32Bytes(index)
  + int32Bytes(keyBytes)
  + (keyBytes > 0 ? keyBytes : 0)
  + int32Bytes(valueBytes)
  + (valueBytes > 0 ? valueBytes : 0)

const writeHeaders = (writer: VarintWriter, headers: Headers): void => {
  for (const { key, value } of headers) {
    writer.int32(Buffer.byteLength(key))
    writer.content(key)
    writer.bytes(value)
  }
}

const exactBytes = (content: PackedContent): number => {
  if (content === null) return -1
  return typeof content === 'string' ? Buffer.byteLength(content) : content.length
}

const boundOf = (content: PackedContent | SelfWriting): number => {
  if (content === null) return 0
  if (typeof content === 'string') return content.length * 3
  return 'bytesMax' in content ? content.bytesMax : content.length
}

/** Exactly what the headers take, with their number. */
const headersBytes = (headers: Headers): number => {
  let bytes = int32Bytes(headers.length)
  for (let i = 0; i < headers.length; i++) {
    const { key, value } = headers[i]!
    const keyBytes = Buffer.byteLength(key)
    const valueBytes = value === null ? -1 : value.length
    bytes += int32Bytes(keyBytes) + keyBytes + int32Bytes(valueBytes) + Math.max(0, valueBytes)
  }
  return bytes
}
