/**
 * Avro's long as a number that is exact: within ±2^52.
 *
 * The library takes numbers up to 2^53, but doubles them on their way (zigzag), which loses the
 * last bit of the larger ones: −(2^52 + 1) came back as 2^52. What is read is guarded by
 * `avro-check.ts`.
 */

import avro from 'avsc'

export const exactLongMax = 2 ** 52

/** For the library's hook: what stands for this part of a schema, if it is a long. */
export const exactLongFor = (
  part: avro.Schema,
  logicalTypes: readonly string[],
): avro.Type | undefined => {
  if (part === 'long') return exactLong
  const { type, logicalType } = part as { readonly type?: unknown; readonly logicalType?: string }
  if (type !== 'long' || logicalTypes.includes(logicalType ?? '')) return undefined
  return exactLong
}

/** The library's own call per value; not in its types. */
type Write = (tap: unknown, value: unknown) => void

const write = (avro.types.LongType.prototype as unknown as { readonly _write: Write })._write

class ExactLong extends avro.types.LongType {
  _write(tap: unknown, value: unknown): void {
    if (Number.isInteger(value) && Math.abs(value as number) <= exactLongMax) {
      return write.call(this, tap, value)
    }
    throw new RangeError(`${String(value)} is no whole number within ±2^52`)
  }
}

const exactLong = new ExactLong()
