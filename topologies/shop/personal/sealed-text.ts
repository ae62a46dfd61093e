/**
 * A text sealed under a customer's data key: AES-256-GCM, and what is written of it.
 *
 * ```
 *   enc:1:<key id>:<base64url of nonce (12), tag (16), cipher text>[,<country>]
 * ```
 * 1. The nonce is an HMAC of place and text: the same text at the same place gives the same bytes,
 * and no nonce ever meets two texts. 2. Order and field are authenticated: a text that was moved
 * does not open. 3. An address keeps its country, which names nobody and chooses the carrier.
 */

import { createHmac } from 'node:crypto'
import { countryOf } from '../shipments/carrier-strategy.ts'
import { PersonalDataError } from './personal-data-error.ts'
import type { personalFields } from './personal-fields.ts'
import { nonceBytes, openBytes, sealBytes } from './sealed-bytes.ts'

export interface SealPlace {
  readonly orderId: string
  readonly purpose: (typeof personalFields)[keyof typeof personalFields]
}

export interface DataKey {
  readonly keyId: string
  /** 32 bytes. */
  readonly bytes: Uint8Array
}

export const keyIdBytes = 12

const pattern = /^enc:1:([\w-]{16}):([\w-]{38,})(?:,([A-Z]{2}))?$/

export const isSealedText = (text: unknown): text is string =>
  typeof text === 'string' && text.startsWith('enc:1:') && pattern.test(text)

/** @param sealed  `isSealedText` */
export const keyIdOf = (sealed: string): string => partsOf(sealed).keyId

export const sealText = (key: DataKey, place: SealPlace, text: string): string => {
  const country = place.purpose === 'address' ? countryOf(text) : undefined
  const bound = boundTo(place, country)
  const nonce = subKey(key, 'nonce', bound, text).subarray(0, nonceBytes)
  const packed = sealBytes(
    { key: subKey(key, 'cipher'), place: bound },
    nonce,
    Buffer.from(text, 'utf8'),
  )
  return `enc:1:${key.keyId}:${packed}${country === undefined ? '' : `,${country}`}`
}

/** @throws {PersonalDataError} it was sealed for another place, by another key, or was changed */
export const openText = (key: DataKey, place: SealPlace, sealed: string): string => {
  const { packed, country } = partsOf(sealed)
  try {
    const sealedWith = { key: subKey(key, 'cipher'), place: boundTo(place, country) }
    return openBytes(sealedWith, packed).toString('utf8')
  } catch (error) {
    throw new PersonalDataError(
      `The ${place.purpose} of order ${place.orderId} was not sealed for it by data key `
        + `${key.keyId}, or was changed since.`,
      { cause: error },
    )
  }
}

interface SealedParts {
  readonly keyId: string
  readonly packed: string
  readonly country: string | undefined
}

const partsOf = (sealed: string): SealedParts => {
  const [, keyId, packed, country] = pattern.exec(sealed) ?? []
  if (keyId === undefined || packed === undefined) throw new Error('this is no sealed text')
  return { keyId, packed, country }
}

/** No part can end where another begins: the purpose is one of ours, a country two letters. */
const boundTo = ({ orderId, purpose }: SealPlace, country = '--'): Buffer =>
  Buffer.from(`${purpose}\n${country}\n${orderId}`)

const subKey = ({ bytes }: DataKey, use: 'nonce' | 'cipher', ...parts: (Buffer | string)[]) => {
  const hmac = createHmac('sha256', bytes).update(`millrace ${use}\n`)
  for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:`).update(part)
  return hmac.digest()
}
