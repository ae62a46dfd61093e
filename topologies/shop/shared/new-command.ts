/**
 * Makes a command envelope: the flows for each other, HTTP and the loaders for the outside.
 *
 * A derived command's id is its entity's UUID and the step (`<holdId>:reserve`): as unique and as
 * repeatable as another UUIDv5, at no cost.
 */

import { type CommandEnvelope, firstVersion } from './envelope.ts'
import { isoTime } from './iso-time.ts'

export interface CommandOrigin {
  readonly commandId: string
  readonly source: string
  readonly nowMs: number
  /** The commandId itself, if absent: this command is where the story begins. */
  readonly correlationId?: string
  readonly causationId?: string
}

export const newCommand = <T extends string, D>(
  commandType: T,
  data: D,
  { commandId, source, nowMs, correlationId, causationId }: CommandOrigin,
): CommandEnvelope<T, D> => ({
  commandId,
  commandType,
  commandVersion: firstVersion.text,
  timestamp: isoTime(nowMs),
  source,
  data,
  metadata: {
    correlationId: correlationId ?? commandId,
    causationId: causationId ?? commandId,
    schemaVersion: firstVersion.schemaVersion,
  },
})
