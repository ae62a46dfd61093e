/**
 * How instances prove to one another that a question and its answer come from their group.
 *
 * The secret is the incarnation of the one that is asked: random, made anew by each process, and
 * told to the group alone, as for the links between instances. It never travels here: what travels
 * is an HMAC over the bytes and a number that is used once, which binds an answer to its question.
 * It authenticates and does not encrypt.
 */

import { createHmac, timingSafeEqual } from 'node:crypto'

/** Rises when the questions change in a way that older instances cannot read. */
export const peerPath = '/peer/1/read'
export const nonceHeader = 'millrace-nonce'
export const sealHeader = 'millrace-seal'

export interface Sealed {
  /** The secret of the instance that is asked. */
  readonly incarnation: string
  readonly nonce: string
  readonly what: 'question' | 'answer'
}

export const sealOf = ({ incarnation, nonce, what }: Sealed, body: Uint8Array): string =>
  createHmac('sha256', incarnation).update(`${what} ${nonce}\n`).update(body).digest('hex')

export const isSealed = (sealed: Sealed, body: Uint8Array, seal: unknown): boolean => {
  if (typeof seal !== 'string') return false
  const [given, right] = [Buffer.from(seal), Buffer.from(sealOf(sealed, body))]
  return given.length === right.length && timingSafeEqual(given, right)
}
