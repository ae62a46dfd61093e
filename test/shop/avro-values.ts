/** Random messages that an Avro schema allows, as the shop writes them: plain, times as text. */

import fc from 'fast-check'

type Schema = string | readonly Schema[] | Readonly<Record<string, unknown>>

interface Field {
  readonly name: string
  readonly type: Schema
}

const times = fc
  .date({ noInvalidDate: true, min: new Date(-4e15), max: new Date(4e15) })
  .map((date) => date.toISOString())

const primitives: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  string: fc.string({ unit: 'grapheme' }),
  boolean: fc.boolean(),
  int: fc.integer(),
  long: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
}

/** @param fixed  values of the outermost fields that are not random */
export const valuesOf = (
  schema: string,
  fixed: Readonly<Record<string, string>>,
): fc.Arbitrary<object> => {
  const { fields } = JSON.parse(schema) as { readonly fields: readonly Field[] }
  const values = record(fields, new Map())
  return values.map((value) => {
    const message: Record<string, unknown> = { ...value }
    // in their places: the order of fields counts
    for (const [name, text] of Object.entries(fixed)) message[name] = text
    const metadata = message['metadata'] as object
    return { ...message, metadata: { ...metadata, correlationId: 'c' } }
  })
}

const record = (
  fields: readonly Field[],
  named: Map<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<Record<string, unknown>> => {
  const entries = fields.map(({ name, type }) => [name, arbitrary(type, named)] as const)
  const required = fields.filter(({ type }) => !Array.isArray(type)).map(({ name }) => name)
  const made = fc.record(Object.fromEntries(entries), { requiredKeys: required })
  return made.map((value) => {
    const inOrder = fields.filter(({ name }) => Object.hasOwn(value, name))
    return Object.fromEntries(inOrder.map(({ name }) => [name, value[name]]))
  })
}

const arbitrary = (
  schema: Schema,
  named: Map<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<unknown> => {
  if (typeof schema === 'string') return primitives[schema] ?? named.get(schema)!
  if (Array.isArray(schema))
    return arbitrary(
      schema.find((each) => each !== 'null')!,
      named,
    )
  const { type, name, logicalType, fields, items, symbols } = schema as Record<string, unknown>
  if (logicalType === 'timestamp-millis') return times
  if (type === 'array') return fc.array(arbitrary(items as Schema, named), { maxLength: 4 })
  const made =
    type === 'enum'
      ? fc.constantFrom(...(symbols as string[]))
      : record(fields as readonly Field[], named)
  named.set(name as string, made)
  return made
}
