/**
 * OpenAPI 3.1 as far as our documents use it, as a schema: what is not in here is a mistake.
 *
 * From the tables of fixed fields in the specification (3.1.1, §4.8). Schemas are checked apart,
 * by the meta-schema of JSON Schema 2020-12.
 */

import { Type } from 'typebox'

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const schema = Type.Object({})
const reference = Type.Object(
  { $ref: Type.String({ pattern: '^#/components/\\w+/\\w+$' }) },
  strict,
)
const content = Type.Record(
  Type.String({ pattern: '^[a-z]+/[a-z+.-]+$' }),
  Type.Object({ schema }, strict),
)

const header = Type.Object({ description: Type.Optional(text), schema }, strict)

const response = Type.Object(
  {
    description: text,
    headers: Type.Optional(Type.Record(text, header)),
    content: Type.Optional(content),
  },
  strict,
)

const parameter = Type.Union([
  Type.Object(
    {
      name: text,
      in: Type.Literal('path'),
      required: Type.Literal(true),
      description: Type.Optional(text),
      schema,
    },
    strict,
  ),
  Type.Object(
    {
      name: text,
      in: Type.Union([Type.Literal('query'), Type.Literal('header')]),
      required: Type.Optional(Type.Boolean()),
      description: Type.Optional(text),
      schema,
    },
    strict,
  ),
])

const operation = Type.Object(
  {
    operationId: Type.String({ pattern: '^[a-z][A-Za-z0-9]*$' }),
    tags: Type.Array(text, { minItems: 1 }),
    summary: text,
    description: Type.Optional(text),
    parameters: Type.Optional(Type.Array(parameter, { minItems: 1 })),
    requestBody: Type.Optional(
      Type.Object({ required: Type.Optional(Type.Literal(true)), content }, strict),
    ),
    responses: Type.Record(
      Type.String({ pattern: '^[1-5][0-9][0-9]$' }),
      Type.Union([response, reference]),
    ),
  },
  strict,
)

const pathItem = Type.Object(
  Object.fromEntries(
    ['get', 'put', 'post', 'delete', 'patch'].map((method) => [method, Type.Optional(operation)]),
  ),
  { ...strict, minProperties: 1 },
)

export const openApiModel = Type.Object(
  {
    openapi: Type.Literal('3.1.1'),
    info: Type.Object({ title: text, version: text, description: text }, strict),
    tags: Type.Array(Type.Object({ name: text }, strict)),
    paths: Type.Record(Type.String({ pattern: '^/' }), pathItem),
    components: Type.Object(
      { schemas: Type.Record(text, schema), responses: Type.Record(text, response) },
      strict,
    ),
  },
  strict,
)
