/** A problem document (RFC 9457) as JSON Schema: the form of every failure. */

import { Type } from 'typebox'

export const problemSchema = Type.Object(
  {
    type: Type.String({
      description:
        'A URI that names the kind of problem; about:blank says no more than the status.',
    }),
    title: Type.String({ description: 'The same for all problems of a kind.' }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.Optional(Type.String({ description: 'What happened, and what can be done.' })),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({
            description: 'JSON pointer into the body, or ?name of a query parameter.',
          }),
          detail: Type.String(),
        }),
        { description: 'Every place that breaks the schema.' },
      ),
    ),
  },
  { title: 'Problem' },
)
