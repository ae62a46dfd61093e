/**
 * What differs between two schemas, field by field, for people: `+ data.channel: string`.
 *
 * Called by `millrace schema diff`. Only names and types are compared; whether one reads the other
 * is for `compatibility.ts` to say. Pure.
 */

type Schema = string | readonly Schema[] | Readonly<Record<string, unknown>>

interface Field {
  readonly name: string
  readonly type: Schema
}

/** @returns removed, added and changed fields, in this order; empty where only docs differ */
export const schemaChanges = (earlier: string, later: string): readonly string[] => {
  const [before, after] = [fieldsOf(earlier), fieldsOf(later)]
  const removed = [...before].filter(([path]) => !after.has(path))
  const added = [...after].filter(([path]) => !before.has(path))
  const changed = [...after].filter(([path, type]) => before.has(path) && before.get(path) !== type)
  return [
    ...removed.map(([path, type]) => `- ${path}: ${type}`),
    ...added.map(([path, type]) => `+ ${path}: ${type}`),
    ...changed.map(([path, type]) => `~ ${path}: ${before.get(path)} → ${type}`),
  ]
}

const fieldsOf = (schema: string): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  collect(JSON.parse(schema) as Schema, '', found)
  return found
}

/** A named type is walked where it is defined, and is its name elsewhere. */
const collect = (schema: Schema, path: string, found: Map<string, string>): void => {
  if (typeof schema === 'string') return
  if (isUnion(schema)) {
    for (const branch of schema) collect(branch, path, found)
    return
  }
  const { type, fields, items, values } = schema
  for (const field of (fields ?? []) as readonly Field[]) {
    const at = path === '' ? field.name : `${path}.${field.name}`
    found.set(at, textOf(field.type))
    collect(field.type, at, found)
  }
  if (items !== undefined) collect(items as Schema, `${path}[]`, found)
  if (values !== undefined) collect(values as Schema, `${path}{}`, found)
  if (typeof type === 'object' && type !== null) collect(type as Schema, path, found)
}

const textOf = (schema: Schema): string => {
  if (typeof schema === 'string') return schema
  if (isUnion(schema)) return schema.map(textOf).join(' | ')
  const { type, name, logicalType, items, values, symbols } = schema
  if (logicalType !== undefined) return String(logicalType)
  if (items !== undefined) return `${textOf(items as Schema)}[]`
  if (values !== undefined) return `map of ${textOf(values as Schema)}`
  if (symbols !== undefined) return `${String(name)}(${(symbols as string[]).join(', ')})`
  return name === undefined ? textOf(type as Schema) : String(name)
}

const isUnion = (schema: Schema): schema is readonly Schema[] => Array.isArray(schema)
