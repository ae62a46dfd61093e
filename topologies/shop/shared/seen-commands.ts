/**
 * Commands that an entity has followed or refused, kept in its row to recognise their repetition.
 *
 * Used by deciders whose commands come from outside. Kept for 24 hours and up to a number, whatever
 * ends first: a command that was forgotten is decided anew.
 */

import { bodyHash } from './body-hash.ts'
import { ShopError } from './shop-error.ts'

export interface Refusal {
  readonly code: string
  readonly reason: string
}

export interface SeenCommand {
  readonly commandId: string
  readonly hash: string
  readonly atMs: number
  /** Why it was not followed. */
  readonly refusal?: Refusal
}

/** What is known of a command in the row of its entity; undefined if it is not decided. */
export const seenOf = (
  { seen }: { readonly seen?: readonly SeenCommand[] },
  commandId: string,
): SeenCommand | undefined => seen?.find((each) => each.commandId === commandId)

interface Command {
  readonly commandId: string
  readonly data: object
}

/** The oldest are forgotten first. */
const seenCommandsMax = 64
const seenCommandsMs = 24 * 3_600_000

/**
 * @param entity  for the message, such as `order o-1`
 * @throws {ShopError} COMMAND_ID_REUSED, another body came under this id: dead letter
 */
export const isRepeated = (
  seen: readonly SeenCommand[] | undefined,
  { commandId, data }: Command,
  entity: string,
): boolean => {
  const known = seen?.find((each) => each.commandId === commandId)
  if (known === undefined) return false
  if (known.hash === bodyHash(data)) return true
  throw new ShopError(
    'COMMAND_ID_REUSED',
    `another command came to ${entity} under the id ${commandId}`,
  )
}

export const withSeen = (
  seen: readonly SeenCommand[] | undefined,
  { commandId, data }: Command,
  { nowMs, refusal }: { readonly nowMs: number; readonly refusal?: Refusal | undefined },
): readonly SeenCommand[] => {
  const fresh = (seen ?? []).filter(({ atMs }) => atMs > nowMs - seenCommandsMs)
  const entry: SeenCommand = {
    commandId,
    hash: bodyHash(data),
    atMs: nowMs,
    ...(refusal !== undefined && { refusal }),
  }
  return [...fresh, entry].slice(-seenCommandsMax)
}
