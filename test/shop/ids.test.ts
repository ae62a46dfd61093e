import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  holdIdOf,
  isUuid,
  paymentIdOf,
  shopNamespace,
  urlNamespace,
  uuidV5,
  uuidV7,
} from '../../topologies/shop/shared/ids.ts'

const dnsNamespace = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'

/** The definition, word by word. */
const uuidV5ByTheBook = (namespace: string, name: string): string => {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest()
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-')
}

describe('uuidV5', () => {
  it('makes the vector of RFC 9562 A.4', () => {
    expect(uuidV5(dnsNamespace, 'www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2')
  })

  it('made the documented namespace of the shop', () => {
    expect(uuidV5(urlNamespace, 'https://millrace.dev/shop')).toBe(shopNamespace)
  })

  it('agrees with the definition for any names, in any order of namespaces', () => {
    const names = fc.array(fc.tuple(fc.uuid(), fc.string({ unit: 'grapheme', maxLength: 300 })))
    fc.assert(
      fc.property(names, (pairs) => {
        for (const [namespace, name] of pairs) {
          expect(uuidV5(namespace, name)).toBe(uuidV5ByTheBook(namespace, name))
          expect(uuidV5(namespace, `${name}!`)).toBe(uuidV5ByTheBook(namespace, `${name}!`))
        }
      }),
    )
  })

  it('takes a namespace that is no UUID for the one it stands for', () => {
    const stand = uuidV5(shopNamespace, 'ORDER 17')
    expect(uuidV5('ORDER 17', 'hold:0')).toBe(uuidV5(stand, 'hold:0'))
    expect(holdIdOf('ORDER 17', 0)).toBe(uuidV5(stand, 'hold:0'))
  })

  it('gives different steps of an order different ids', () => {
    const ids = [
      holdIdOf(shopNamespace, 0),
      holdIdOf(shopNamespace, 1),
      paymentIdOf(shopNamespace, 1),
      paymentIdOf(shopNamespace, 2),
    ]
    expect(new Set(ids).size).toBe(4)
  })
})

describe('uuidV7', () => {
  it('carries time, version and variant, sorts by time and does not repeat', () => {
    const timeMs = Date.UTC(2026, 0, 1)
    const ids = Array.from({ length: 100 }, () => uuidV7(timeMs))
    expect(new Set(ids).size).toBe(100)
    for (const id of ids) {
      expect(isUuid(id)).toBe(true)
      expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(timeMs)
      expect(id[14]).toBe('7')
      expect('89ab').toContain(id[19])
    }
    expect(uuidV7(timeMs + 1) > ids[0]!).toBe(true)
  })
})
