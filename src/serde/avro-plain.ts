/**
 * What the Avro decoder made, as plain values: those that `JSON.parse` would give.
 *
 * Called once per record by `avro.ts`; compiled once per schema. 1. A null in a field of a record
 * is an absent field: `["null", …]` is how Avro says optional. 2. Fields keep the order of the
 * schema. 3. Bytes are Buffers, which is what encoding takes, copied: theirs may be a shared block.
 */

import type avro from 'avsc'

type Plain = (decoded: unknown) => unknown

interface Parts {
  readonly fields: readonly { readonly name: string; readonly type: avro.Type }[]
  readonly types: readonly avro.Type[]
  readonly itemsType: avro.Type
  readonly valuesType: avro.Type
}

/**
 * @throws {TypeError} a union has branches that plain values do not tell apart, as two records
 */
export const plainOf = (type: avro.Type): Plain => plain(type, new Map()) ?? ((value) => value)

/** @returns undefined for what is plain as it is */
const plain = (type: avro.Type, known: Map<avro.Type, Plain>): Plain | undefined => {
  const made = known.get(type)
  if (made !== undefined) return made
  const { types, itemsType, valuesType } = type as avro.Type & Parts
  const { typeName } = type
  if (typeName === 'record' || typeName === 'error') return recordPlain(type, known)
  if (typeName === 'array') {
    const item = plain(itemsType, known)
    return item && ((values) => (values as unknown[]).map(item))
  }
  if (typeName === 'map') {
    const value = plain(valuesType, known) ?? ((same) => same)
    return (entries) =>
      Object.fromEntries(Object.entries(entries as object).map(([key, each]) => [key, value(each)]))
  }
  if (typeName === 'bytes' || typeName === 'fixed') return (value) => Buffer.from(value as Buffer)
  if (typeName.startsWith('union:')) {
    const branches = types.flatMap((branch) => plain(branch, known) ?? [])
    if (branches.length > 1 || typeName === 'union:wrapped') {
      throw new TypeError(`a union of kinds that look alike has no plain form: ${type}`)
    }
    return branches[0] && ((value) => (isSimple(value) ? value : branches[0]!(value)))
  }
  return undefined
}

const isSimple = (value: unknown): boolean => value === null || typeof value !== 'object'

const recordPlain = (type: avro.Type, known: Map<avro.Type, Plain>): Plain => {
  let fields: readonly { name: string; convert: Plain | undefined }[] = []
  const convertRecord: Plain = (record) => {
    const copy: Record<string, unknown> = {}
    for (const { name, convert } of fields) {
      const value = (record as Readonly<Record<string, unknown>>)[name]
      if (value !== null) copy[name] = convert === undefined ? value : convert(value)
    }
    return copy
  }
  known.set(type, convertRecord) // before its fields: a record may hold itself
  fields = (type as avro.Type & Parts).fields.map((field) => ({
    name: field.name,
    convert: plain(field.type, known),
  }))
  return convertRecord
}
