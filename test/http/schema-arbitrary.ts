/**
 * Values of a JSON Schema, as far as our OpenAPI document uses it, and now and then others.
 *
 * For `api-fuzz.test.ts`. Lengths stay small but for the bounds themselves, which are tried too.
 */

import fc from 'fast-check'

export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
}

const lengthMax = 12
const itemsMax = 3

/** One value in `wrongOneIn` is any JSON, at every depth. */
const wrongOneIn = 12

/** @param named  the document's schemas */
export const schemaArbitrary = (
  schema: JsonSchema,
  named: Readonly<Record<string, JsonSchema>>,
): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: wrongOneIn - 1, arbitrary: fitting(schema, named) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
  )

const fitting = (
  schema: JsonSchema,
  named: Readonly<Record<string, JsonSchema>>,
): fc.Arbitrary<unknown> => {
  const { $ref, anyOf, type } = schema
  if ($ref !== undefined) return fitting(named[$ref.split('/').at(-1)!]!, named)
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  if (anyOf !== undefined) return fc.oneof(...anyOf.map((each) => fitting(each, named)))
  if (type === 'string') return texts(schema)
  if (type === 'integer' || type === 'number') return numbers(schema)
  if (type === 'boolean') return fc.boolean()
  if (type === 'array') {
    const { items = {}, minItems: minLength = 0 } = schema
    return fc.array(schemaArbitrary(items, named), { minLength, maxLength: minLength + itemsMax })
  }
  return type === 'object' ? objects(schema, named) : fc.jsonValue({ maxDepth: 1 })
}

const texts = ({ pattern, minLength = 0, maxLength }: JsonSchema): fc.Arbitrary<string> => {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { maxLength: 40 })
  const short = fc.string({ minLength, maxLength: minLength + lengthMax, unit: 'binary' })
  if (maxLength === undefined) return short
  const bounds = fc.constantFrom('x'.repeat(maxLength), 'x'.repeat(maxLength + 1))
  return fc.oneof({ weight: 9, arbitrary: short }, { weight: 1, arbitrary: bounds })
}

const numbers = ({ type, minimum = -10, maximum = 2 ** 53 }: JsonSchema): fc.Arbitrary<number> => {
  const near = type === 'integer' ? fc.integer : fc.double
  const inside = near({ min: minimum, max: Math.min(maximum, minimum + 100) })
  const bounds = fc.constantFrom(minimum, minimum - 1, maximum, maximum + 1)
  return fc.oneof({ weight: 9, arbitrary: inside }, { weight: 1, arbitrary: bounds })
}

const objects = (
  { properties = {}, required = [] }: JsonSchema,
  named: Readonly<Record<string, JsonSchema>>,
): fc.Arbitrary<object> => {
  const fields = Object.entries(properties).map(([name, each]) => [
    name,
    schemaArbitrary(each, named),
  ])
  const requiredKeys = required.filter((name) => name in properties)
  return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, {
    requiredKeys,
  })
}
