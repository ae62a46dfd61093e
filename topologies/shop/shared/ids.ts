/**
 * Identifiers: UUIDv5 (RFC 9562 §5.5) for everything derived, UUIDv7 where the shop invents one.
 *
 * 1. A derived id is a pure function of its entity and step, so a replay or a retry makes the same
 *    id again. 2. An id that is no UUID (a caller's own order number) serves as a namespace through
 *    UUIDv5(shopNamespace, id). Cost: about 0.5 µs for a short name; the last namespace is kept.
 */

import { hash, randomFillSync } from 'node:crypto'
import { sha1Block, sha1BlockMax, sha1Words } from './sha1-block.ts'

/** RFC 9562 §6.6: names that are URLs. */
export const urlNamespace = '6ba7b811-9dad-11d1-80b4-00c04fd430c8'

/** UUIDv5(urlNamespace, 'https://millrace.dev/shop'): parent of all ids that have no entity. */
export const shopNamespace = '34923995-9ddb-5ca2-be8e-af42ea7a0c6a'

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const namespaceBytes = 16

let scratch = Buffer.alloc(256)
let scratchNamespace = ''

/**
 * @param namespace  a UUID; any other text stands for UUIDv5(shopNamespace, text)
 * @param name       any text, taken as UTF-8
 */
export const uuidV5 = (namespace: string, name: string): string => {
  if (namespace !== scratchNamespace) loadNamespace(namespace)
  const needed = namespaceBytes + name.length * 3
  if (needed > scratch.length) growScratch(needed)
  const end = namespaceBytes + scratch.write(name, namespaceBytes)
  if (end > sha1BlockMax) return asUuid(hash('sha1', scratch.subarray(0, end), 'hex'), '5')
  sha1Block(scratch, end)
  return wordsAsUuid()
}

/** Time-ordered and random: for an order whose caller gave neither id nor Idempotency-Key. */
export const uuidV7 = (nowMs: number): string => {
  const random = randomFillSync(Buffer.alloc(10)).toString('hex')
  const time = Math.trunc(nowMs).toString(16).padStart(12, '0')
  return asUuid(`${time}0${random}`, '7')
}

export const isUuid = (text: string): boolean => uuidPattern.test(text)

/** One hold per order line. */
export const holdIdOf = (orderId: string, line: number): string => uuidV5(orderId, `hold:${line}`)

/** A new number only after a definite decline, so one number is charged at most once. */
export const paymentIdOf = (orderId: string, chargeNumber: number): string =>
  uuidV5(orderId, `charge:${chargeNumber}`)

export const refundIdOf = (paymentId: string, refundNumber: number): string =>
  uuidV5(paymentId, `refund:${refundNumber}`)

/** An order ships once. */
export const shipmentIdOf = (orderId: string): string => uuidV5(orderId, 'shipment')

const asUuid = (hex: string, version: string): string => {
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16)
  return (
    `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}${hex.slice(13, 16)}-`
    + `${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  )
}

const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

const half = (word: number): string => hexOf[(word >>> 8) & 255]! + hexOf[word & 255]!

const wordsAsUuid = (): string => {
  const [a, b, c, d] = [sha1Words[0]!, sha1Words[1]!, sha1Words[2]!, sha1Words[3]!]
  const version = half((b & 0x0fff) | 0x5000)
  const variant = half(((c >>> 16) & 0x3fff) | 0x8000)
  return (
    `${half(a >>> 16)}${half(a)}-${half(b >>> 16)}-${version}-${variant}-`
    + `${half(c)}${half(d >>> 16)}${half(d)}`
  )
}

const loadNamespace = (namespace: string): void => {
  if (!loadUuid(namespace)) loadUuid(uuidV5(shopNamespace, namespace))
  scratchNamespace = namespace
}

/** @returns false, with nothing of use loaded, if the text is no UUID */
const loadUuid = (text: string): boolean => {
  if (text.length !== 36) return false
  let at = 0
  for (let i = 0; i < 36; i++) {
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (text.charCodeAt(i) !== hyphen) return false
      continue
    }
    const high = digitOf(text.charCodeAt(i))
    const low = digitOf(text.charCodeAt(++i))
    if (high < 0 || low < 0) return false
    scratch[at++] = high * 16 + low
  }
  return true
}

const hyphen = 0x2d

const digitOf = (code: number): number => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

const growScratch = (needed: number): void => {
  const grown = Buffer.alloc(needed * 2)
  scratch.copy(grown, 0, 0, namespaceBytes)
  scratch = grown
}
