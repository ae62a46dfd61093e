/** Parts that the documents of several routes share. */

import { type TSchema, Type } from 'typebox'
import type { RouteDoc } from '../../../../src/index.ts'
import { idLengthMax } from '../../shared/order-limits.ts'
import { decimalPattern } from '../../shared/money.ts'
import { keyLengthMax, keyPattern } from '../idempotency-keys.ts'

/** All properties, and no others. */
export const exactly = <P extends Record<string, TSchema>>(properties: P, title?: string) =>
  Type.Object(properties, { additionalProperties: false, ...(title !== undefined && { title }) })

export const id = (description?: string): TSchema =>
  Type.String({
    minLength: 1,
    maxLength: idLengthMax,
    ...(description !== undefined && { description }),
  })

/** ISO-8601, in UTC. */
export const time = Type.String({ format: 'date-time' })

export const money = Type.String({
  pattern: decimalPattern.source,
  description: 'An exact decimal in the currency.',
})

export const count = Type.Integer({ minimum: 0 })

export const oneOf = (values: readonly string[], description?: string): TSchema =>
  Type.Unsafe({
    type: 'string',
    enum: [...values],
    ...(description !== undefined && { description }),
  })

/** The names of a union, which the compiler holds to be all. */
export const keysOf = <K extends string>(all: Readonly<Record<K, true>>): readonly string[] =>
  Object.keys(all)

/** Above 0 where it is needed: the route tells it. */
export const amount = (description: string): TSchema =>
  Type.Union(
    [
      Type.String({ pattern: decimalPattern.source.replace('^(-?)', '^') }),
      Type.Number({ minimum: 0 }),
    ],
    { description },
  )

/** Of what became of an update. */
export const decisionProperties = {
  updateId: id(),
  status: oneOf(['applied', 'refused']),
  refusal: Type.Optional(exactly({ code: Type.String(), reason: Type.String() })),
}

/** Who answered for a partition, in a body. */
export const source = exactly({
  partition: count,
  owner: Type.String(),
  role: Type.Literal('active'),
  offsets: Type.Array(
    exactly({
      topic: Type.String(),
      partition: count,
      offset: Type.String({ pattern: '^[0-9]+$' }),
    }),
  ),
  appliedAt: Type.Optional(time),
})

export const cursor = Type.Optional(
  Type.String({ description: 'Goes on with the next page; absent at the end.' }),
)

export const keyHeader = {
  'Idempotency-Key': Type.String({
    minLength: 1,
    maxLength: keyLengthMax,
    pattern: keyPattern.source,
    description: 'One key, one request: sent again it has no further effect, and the same answer.',
  }),
}

/** Of routes whose commands carry the version to whoever decides. */
export const ifMatchOneHeader = {
  'If-Match': Type.String({
    description: 'The tag of the version that this is meant for, or *; another one gets 412.',
  }),
}

export const ifNoneMatchHeader = {
  'If-None-Match': Type.String({ description: 'Tags that are at hand, or *: then 304.' }),
}

export const etagHeader = { ETag: Type.String({ description: 'The version, in quotes.' }) }

export const locationHeader = {
  Location: Type.String({ description: 'Where it is, or will be.' }),
}

export const replayedHeader = {
  'Idempotency-Replayed': Type.Literal('true', {
    description: 'There if the same request came before: nothing was done again.',
  }),
}

/** Of reads: who answered, and how fresh that is. */
export const sourceHeaders = {
  'Millrace-Partition': Type.String({ description: 'Where the row lies.' }),
  'Millrace-Owner': Type.String({ description: 'The instance that answered.' }),
  'Millrace-Role': Type.Literal('active'),
  'Millrace-Offsets': Type.String({
    description: 'The next offsets of the inputs, which the answer does not show.',
  }),
  'Millrace-Applied-At': Type.String({ description: 'The last commit that it shows.' }),
}

/** Of a look at one row, which has a version. */
export const rowAnswers = (body: TSchema): RouteDoc['answers'] => {
  const headers = { ...etagHeader, ...sourceHeaders }
  return {
    200: { description: 'As of the last commit.', body, headers },
    304: { description: 'The version is at hand.', headers },
  }
}
