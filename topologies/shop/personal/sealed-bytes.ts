/**
 * Bytes under a key of 32 bytes: AES-256-GCM, as nonce (12), tag (16) and cipher text in base64url.
 *
 * Used for texts under a data key and for data keys under the master key. The caller sees to it
 * that no nonce meets two plain texts under one key.
 */

import { createCipheriv, createDecipheriv } from 'node:crypto'

export interface SealWith {
  /** 32 bytes. */
  readonly key: Uint8Array
  /** Authenticated with the bytes: they open nowhere else. */
  readonly place: Uint8Array
}

export const nonceBytes = 12
const tagBytes = 16
const cipherName = 'aes-256-gcm'

/** @param nonce  `nonceBytes` long */
export const sealBytes = (
  { key, place }: SealWith,
  nonce: Uint8Array,
  plain: Uint8Array,
): string => {
  const cipher = createCipheriv(cipherName, key, nonce).setAAD(place)
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')
}

/** @throws {Error} sealed with another key or for another place, or changed */
export const openBytes = ({ key, place }: SealWith, packed: string): Buffer => {
  const bytes = Buffer.from(packed, 'base64url')
  const decipher = createDecipheriv(cipherName, key, bytes.subarray(0, nonceBytes))
    .setAAD(place)
    .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()])
}
