/**
 * Walks a body by its writer's schema before it is decoded: bytes from outside may be anything.
 *
 * Called once per record by `avro.ts`. The decoder trusts its input: a count of 2^40 items would be
 * allocated, a negative length read backwards, and bytes that are no UTF-8 replaced. After this
 * check none of that can happen. Compiled once per schema.
 */

import type avro from 'avsc'
import { isUtf8 } from 'node:buffer'
import { exactLongMax } from './avro-long.ts'

/** @returns where the value ends */
type Check = (bytes: Buffer, at: number) => number

/** @returns the function that throws a RangeError unless the bytes are exactly one value */
export const bodyCheck = (type: avro.Type): ((bytes: Buffer) => void) => {
  const check = checkOf(type, new Map())
  return (bytes) => {
    const end = check(bytes, 0)
    if (end !== bytes.length) throw new RangeError(`${bytes.length - end} bytes too many`)
  }
}

interface Parts {
  readonly fields: readonly { readonly type: avro.Type }[]
  readonly types: readonly avro.Type[]
  readonly symbols: readonly string[]
  readonly itemsType: avro.Type
  readonly valuesType: avro.Type
  readonly underlyingType: avro.Type
  readonly size: number
}

const checkOf = (type: avro.Type, known: Map<avro.Type, Check>): Check => {
  const made = known.get(type)
  if (made !== undefined) return made
  known.set(type, (bytes, at) => check(bytes, at)) // a schema may hold itself
  const check = newCheck(type, (part) => checkOf(part, known))
  known.set(type, check)
  return check
}

const newCheck = (type: avro.Type, inner: (part: avro.Type) => Check): Check => {
  const parts = type as avro.Type & Parts
  const { typeName } = type
  if (typeName.startsWith('logical:')) return inner(parts.underlyingType)
  if (typeName.startsWith('union:')) return unionCheck(parts.types.map(inner))
  switch (typeName) {
    case 'record':
    case 'error':
      return recordCheck(parts.fields.map((field) => inner(field.type)))
    case 'array':
      return blocksCheck(inner(parts.itemsType))
    case 'map': {
      const value = inner(parts.valuesType)
      return blocksCheck((bytes, at) => value(bytes, mapKeyCheck(bytes, at)))
    }
    case 'enum':
      return (bytes, at) => indexCheck(bytes, at, parts.symbols.length)
    case 'fixed':
      return (bytes, at) => within(bytes, at + parts.size)
    default:
      return primitiveCheck(typeName)
  }
}

const primitiveCheck = (typeName: string): Check => {
  switch (typeName) {
    case 'null':
      return (_bytes, at) => at
    case 'boolean':
      return (bytes, at) => {
        if (within(bytes, at + 1) && bytes[at]! > 1) throw new RangeError('no boolean')
        return at + 1
      }
    case 'int':
    case 'long':
      return (bytes, at) => {
        const value = longAt(bytes, at)
        if (Math.abs(value) > exactLongMax) throw new RangeError(`about ${value}: beyond ±2^52`)
        return longEnd(bytes, at)
      }
    case 'float':
      return (bytes, at) => within(bytes, at + 4)
    case 'double':
      return (bytes, at) => within(bytes, at + 8)
    case 'bytes':
      return bytesCheck
    case 'string':
      return textCheck
    default:
      throw new TypeError(`unknown Avro type ${typeName}`)
  }
}

const recordCheck =
  (fields: readonly Check[]): Check =>
  (bytes, start) => {
    let at = start
    for (const field of fields) at = field(bytes, at)
    return at
  }

const unionCheck =
  (branches: readonly Check[]): Check =>
  (bytes, at) => {
    const end = indexCheck(bytes, at, branches.length)
    return branches[longAt(bytes, at)]!(bytes, end)
  }

/** Blocks of items: `[count][items]` or `[-count][bytes][items]`, until a count of 0. */
const blocksCheck =
  (item: Check): Check =>
  (bytes, start) => {
    let at = start
    for (;;) {
      const count = longAt(bytes, at)
      at = longEnd(bytes, at)
      if (count === 0) return at
      if (count < 0) at = longEnd(bytes, at)
      // items of no bytes at all (null) are no reason to believe a count
      if (Math.abs(count) > bytes.length) throw new RangeError(`${count} items cannot be in it`)
      for (let left = Math.abs(count); left > 0; left--) at = item(bytes, at)
    }
  }

const indexCheck = (bytes: Buffer, at: number, count: number): number => {
  const index = longAt(bytes, at)
  if (index >= 0 && index < count) return longEnd(bytes, at)
  throw new RangeError(`index ${index} of ${count}`)
}

const bytesCheck: Check = (bytes, at) => {
  const lengthBytes = longAt(bytes, at)
  if (lengthBytes < 0) throw new RangeError(`a length of ${lengthBytes}`)
  return within(bytes, longEnd(bytes, at) + lengthBytes)
}

const textCheck: Check = (bytes, at) => {
  const end = bytesCheck(bytes, at)
  const start = longEnd(bytes, at)
  for (let i = start; i < end; i++) {
    if (bytes[i]! < 0x80) continue
    if (!isUtf8(bytes.subarray(i, end))) throw new RangeError('a text is not UTF-8')
    break
  }
  return end
}

/** The decoder would set the prototype of the map instead of an entry. */
const mapKeyCheck: Check = (bytes, at) => {
  const end = textCheck(bytes, at)
  if (bytes.toString('latin1', longEnd(bytes, at), end) !== '__proto__') return end
  throw new RangeError('a map has the key __proto__, which has no plain form')
}

const within = (bytes: Buffer, end: number): number => {
  if (end <= bytes.length) return end
  throw new RangeError(`it ends ${end - bytes.length} bytes too early`)
}

/** Of a zigzag varint: the offset behind it. */
const longEnd = (bytes: Buffer, start: number): number => {
  let at = start
  while (at < bytes.length && bytes[at]! >= 0x80) at += 1
  if (at - start > 9) throw new RangeError('a number of more than 10 bytes')
  return within(bytes, at + 1)
}

/** Exact within ±2^52; else large enough to be refused. */
const longAt = (bytes: Buffer, start: number): number => {
  const end = longEnd(bytes, start)
  let zigzag = 0
  for (let at = end - 1; at >= start; at--) zigzag = zigzag * 128 + (bytes[at]! & 0x7f)
  return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
}
