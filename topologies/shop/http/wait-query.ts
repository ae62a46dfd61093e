/** `?wait=ms`: how long a request waits for its outcome. */

import { Type } from 'typebox'

const waitMsMax = 30_000

export interface WaitQuery {
  readonly wait?: number
}

export const waitQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: waitMsMax,
        description: 'How long to wait for the outcome, in ms.',
      }),
    ),
  },
  { additionalProperties: false },
)

export const waitMsOf = ({ wait }: WaitQuery, byDefaultMs: number): number => wait ?? byDefaultMs
