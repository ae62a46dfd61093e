/**
 * Identifiers: UUIDv5 (RFC 9562 §5.5) for everything derived, UUIDv7 where the shop invents one.
 *
 * 1. A derived id is a pure function of its entity and step, so a replay or a retry makes the same
 *    id again. 2. An id that is no UUID (a caller's own order number) serves as a namespace through
 *    UUIDv5(shopNamespace, id). Cost: about 0.5 µs for a short name; the last namespace is kept.
 */

import { hash, randomFillSync } from 'node:crypto'
import { sha1MessageMax, sha1Short, sha1Words } from './sha1-short.ts'

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
  const end = writeName(name)
  if (end > sha1MessageMax) return asUuid(hash('sha1', scratch.subarray(0, end), 'hex'), '5')
  sha1Short(scratch, end)
  return wordsAsUuid()
}

/** By hand as long as it is ASCII: a call of `write` costs 80 ns. @returns where it ends */
const writeName = (name: string): number => {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (code > 0x7f) return namespaceBytes + scratch.write(name, namespaceBytes)
    scratch[namespaceBytes + i] = code
  }
  return namespaceBytes + name.length
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

/** @param number  from 1; an order ships once, unless lines of it had to wait */
export const shipmentIdOf = (orderId: string, number = 1): string =>
  uuidV5(orderId, number === 1 ? 'shipment' : `shipment:${number}`)

const asUuid = (hex: string, version: string): string => {
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16)
  return (
    `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}${hex.slice(13, 16)}-`
    + `${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
  )
}

const hexDigits = new TextEncoder().encode('0123456789abcdef')
const uuidText = Buffer.alloc(36, '-')

/** Written as bytes and read as one flat string: joined pieces cost three times as much. */
const wordsAsUuid = (): string => {
  const b = (sha1Words[1]! & 0xffff_0fff) | 0x5000
  const c = (sha1Words[2]! & 0x3fff_ffff) | 0x8000_0000
  const d = sha1Words[3]!
  writeHex(0, sha1Words[0]! >>> 16)
  writeHex(4, sha1Words[0]!)
  writeHex(9, b >>> 16)
  writeHex(14, b)
  writeHex(19, c >>> 16)
  writeHex(24, c)
  writeHex(28, d >>> 16)
  writeHex(32, d)
  return uuidText.toString('latin1', 0, 36)
}

/** The lower 16 bits of the word as four digits. */
const writeHex = (at: number, word: number): void => {
  uuidText[at] = hexDigits[(word >>> 12) & 15]!
  uuidText[at + 1] = hexDigits[(word >>> 8) & 15]!
  uuidText[at + 2] = hexDigits[(word >>> 4) & 15]!
  uuidText[at + 3] = hexDigits[word & 15]!
}

/** Namespaces that are no UUIDs, as UUIDs: products are few, and named in every event of theirs. */
const namespaces = new Map<string, string>()
const namespacesMax = 4_096

const loadNamespace = (namespace: string): void => {
  if (!loadUuid(namespace)) loadUuid(uuidOf(namespace))
  scratchNamespace = namespace
}

const uuidOf = (namespace: string): string => {
  let uuid = namespaces.get(namespace)
  if (uuid === undefined) {
    if (namespaces.size >= namespacesMax) namespaces.clear()
    namespaces.set(namespace, (uuid = uuidV5(shopNamespace, namespace)))
  }
  return uuid
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
