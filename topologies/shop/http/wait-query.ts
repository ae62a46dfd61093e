/** `?wait=ms`: how long a command's outcome is waited for. */

import { Type } from 'typebox'

const waitMsMax = 30_000

export interface WaitQuery {
  readonly wait?: number
}

export const waitQuery = Type.Object(
  { wait: Type.Optional(Type.Integer({ minimum: 0, maximum: waitMsMax })) },
  { additionalProperties: false },
)
