/**
 * How a record says which schema its Avro body was written with: Confluent's wire formats.
 *
 * ```
 *   0, written and read   value: [0 u8][id u32 big-endian][body]
 *   1, read               header: [1 u8][guid 16 bytes], value: [body]
 * ```
 */

import type { Header, Headers } from '../record.ts'
import type { SchemaRef } from '../schema-registry/port.ts'

export const magicByte = 0
export const frameBytes = 5

export type RecordPart = 'key' | 'value'

const guidHeaders = { key: '__key_schema_id', value: '__value_schema_id' } as const
const guidBytes = 17

/** @returns undefined: no header names a schema, so it stands before the body */
export const headerRef = (headers: Headers, part: RecordPart): SchemaRef | undefined => {
  if (headers.length === 0) return undefined
  const header = lastOf(headers, guidHeaders[part])
  if (header?.value === undefined || header.value === null) return undefined
  const bytes = Buffer.from(header.value)
  if (bytes.length === frameBytes && bytes[0] === magicByte) return bytes.readUInt32BE(1)
  if (bytes.length !== guidBytes || bytes[0] !== 1) {
    throw new TypeError(`the header ${header.key} holds no schema id: ${bytes.toString('hex')}`)
  }
  const hex = bytes.toString('hex', 1)
  return [0, 8, 12, 16, 20].map((start, i) => hex.slice(start, [8, 12, 16, 20][i])).join('-')
}

/** True if there is such a header, whatever it holds. */
export const hasHeaderRef = (headers: Headers, part: RecordPart): boolean =>
  lastOf(headers, guidHeaders[part]) !== undefined

const lastOf = (headers: Headers, key: string): Header | undefined =>
  headers.findLast((header) => header.key === key)

/** True if the bytes claim to be framed. */
export const isFramed = (bytes: Uint8Array): boolean =>
  bytes.length >= frameBytes && bytes[0] === magicByte

/** @throws {TypeError} wrong magic byte, or too short */
export const frameId = (bytes: Uint8Array): number => {
  if (isFramed(bytes)) {
    return ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0
  }
  if (bytes.length < frameBytes) {
    throw new TypeError(`${bytes.length} bytes are no Avro message: its frame alone has 5`)
  }
  throw new TypeError(`the magic byte is ${bytes[0]}, not 0: no Avro message of a schema registry`)
}
