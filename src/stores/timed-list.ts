/**
 * The windows of one key in one row: per entry two times and a value.
 *
 * ```
 *   [first time u64][second time u64][valueBytes u32][value]   one after the other, big-endian
 * ```
 * Used by sliding windows and sessions, which name the two times.
 */

import type { Serde } from '../serde/serde.ts'

const headBytes = 20

export interface TimedListParts<V, Row> {
  readonly value: Serde<V>
  timesOf(row: Row): readonly [first: number, second: number]
  rowOf(first: number, second: number, value: V): Row
}

export const encodeTimedList = <V, Row extends { readonly value: V }>(
  rows: readonly Row[],
  { value: serde, timesOf }: TimedListParts<V, Row>,
): Uint8Array => {
  const parts: Uint8Array[] = []
  for (const row of rows) {
    const [first, second] = timesOf(row)
    const valueBytes = serde.encode(row.value)
    const head = Buffer.allocUnsafe(headBytes)
    head.writeBigUInt64BE(BigInt(first), 0)
    head.writeBigUInt64BE(BigInt(second), 8)
    head.writeUInt32BE(valueBytes.length, 16)
    parts.push(head, valueBytes)
  }
  return Buffer.concat(parts)
}

export const decodeTimedList = <V, Row>(
  bytes: Uint8Array,
  { value: serde, rowOf }: TimedListParts<V, Row>,
): readonly Row[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const rows: Row[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + headBytes + view.getUint32(at + 16)
    const value = serde.decode(bytes.subarray(at + headBytes, end))
    rows.push(rowOf(Number(view.getBigUint64(at)), Number(view.getBigUint64(at + 8)), value))
    at = end
  }
  return rows
}
