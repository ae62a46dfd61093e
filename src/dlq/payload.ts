/**
 * Bytes of a record for people and for JSON: decoded where the serde is known, else text or base64.
 *
 * Nothing is guessed: bytes that the serde refuses are shown as they are.
 */

import { createHash } from 'node:crypto'
import { isUtf8 } from 'node:buffer'
import type { Serde } from '../serde/serde.ts'

export type Payload =
  | { readonly encoding: 'null' }
  | { readonly encoding: 'decoded'; readonly decoded: unknown }
  | TextPayload

/** Bytes as a text that stands for exactly them. */
export interface TextPayload {
  readonly encoding: 'utf8' | 'base64'
  readonly text: string
}

export const textPayload = (bytes: Uint8Array): TextPayload => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const encoding = isUtf8(bytes) ? 'utf8' : 'base64'
  return { encoding, text: buffer.toString(encoding) }
}

export const payloadBytes = ({ encoding, text }: TextPayload): Uint8Array =>
  Buffer.from(text, encoding)

/** @param serde  of the topic the bytes were for; undefined where it is not known */
export const payloadOf = (bytes: Uint8Array | null, serde?: Serde<unknown>): Payload => {
  if (bytes === null) return { encoding: 'null' }
  if (serde === undefined) return textPayload(bytes)
  try {
    return { encoding: 'decoded', decoded: plain(serde.decode(bytes)) }
  } catch {
    return textPayload(bytes)
  }
}

/** What identifies a value in the audit; `null` has none. */
export const hashOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : createHash('sha256').update(bytes).digest('hex')

/** As JSON has it: big integers are texts. */
const plain = (value: unknown): unknown => {
  const text = JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'bigint' ? String(field) : field,
  )
  return text === undefined ? null : (JSON.parse(text) as unknown)
}
