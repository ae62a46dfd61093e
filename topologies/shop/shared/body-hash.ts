/**
 * Hash of a command's body, kept to tell a repeated command from another one under the same id.
 *
 * Property order counts: a sender that repeats a command repeats its bytes. 128 bits of SHA-1,
 * since it guards against mistakes, not against attackers (who could as well choose a new id).
 */

import { hash } from 'node:crypto'

const hashLength = 22

export const bodyHash = (data: unknown): string =>
  hash('sha1', JSON.stringify(data), 'base64url').slice(0, hashLength)
