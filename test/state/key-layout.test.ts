import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bytesFromLatin1,
  latin1FromBytes,
  metaKey,
  msFromOrdered,
  namespacePrefix,
  orderedMs,
  positionKey,
  prefixEnd,
  taskPrefix,
} from '../../state/key-layout.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { namespacesOf } from '../../state/namespaces.ts'
import { WriteBatch } from '../../state/write-batch.ts'

const bytes = fc.uint8Array({ maxLength: 12 })

describe('key layout', () => {
  it('writes what its comment says', () => {
    expect(latin1FromBytes(namespacePrefix('1_3', 'käse'))).toBe('\x01\x031_3\x05k\xc3\xa4se')
    expect(latin1FromBytes(positionKey('t', 258))).toBe('\0Pt\0\0\0\x01\x02')
    expect(latin1FromBytes(metaKey('layout'))).toBe('\0Mlayout')
  })

  it('gives no store a prefix that begins with another one, and each task its stores', () => {
    const name = fc.string({ maxLength: 4 })
    fc.assert(
      fc.property(name, name, name, name, (task, store, task2, store2) => {
        const one = latin1FromBytes(namespacePrefix(task, store))
        const two = latin1FromBytes(namespacePrefix(task2, store2))
        expect(one.startsWith(two)).toBe(task === task2 && store === store2)
        expect(one.startsWith(latin1FromBytes(taskPrefix(task2)))).toBe(task === task2)
      }),
    )
  })

  it('finds the namespaces that have rows', async () => {
    const engine = MemoryEngine.create()
    const batch = new WriteBatch()
    const names = [
      ['0_0', 'a'],
      ['0_0', 'ab'],
      ['0_10', 'ä/ö'],
      ['12_3', 'a'],
    ] as const
    for (const [task, store] of names) {
      for (const key of ['', '\u00ff', 'k']) {
        batch.put(namespacePrefix(task, store), bytesFromLatin1(key), Uint8Array.of(1))
      }
    }
    batch.put(new Uint8Array(0), positionKey('topic', 0), Uint8Array.of(1))
    await engine.commit(batch)
    const found = namespacesOf(engine).map(({ taskId, storeName }) => [taskId, storeName])
    expect(found.sort()).toEqual([...names].sort())
    await engine.close()
  })

  it('refuses names that do not fit', () => {
    expect(() => namespacePrefix('0_0', 'x'.repeat(255))).not.toThrow()
    expect(() => namespacePrefix('0_0', 'ä'.repeat(128))).toThrow(RangeError)
  })

  it('sorts strings as the bytes, and converts without loss', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const [x, y] = [latin1FromBytes(a), latin1FromBytes(b)]
        expect(Math.sign(Buffer.compare(a, b))).toBe(x < y ? -1 : x > y ? 1 : 0)
        expect(bytesFromLatin1(x)).toEqual(Buffer.from(a))
      }),
    )
  })

  it('ends a prefix above all its keys and at no key above', () => {
    fc.assert(
      fc.property(bytes, bytes, bytes, (prefix, rest, other) => {
        fc.pre(prefix.some((byte) => byte !== 0xff))
        const end = prefixEnd(prefix)
        expect(Buffer.compare(Buffer.concat([prefix, rest]), end)).toBe(-1)
        const isWithin = Buffer.compare(other, prefix) >= 0 && Buffer.compare(other, end) < 0
        expect(isWithin).toBe(latin1FromBytes(other).startsWith(latin1FromBytes(prefix)))
      }),
    )
    expect(() => prefixEnd(new Uint8Array())).toThrow(RangeError)
    expect(() => prefixEnd(Uint8Array.of(255, 255))).toThrow(RangeError)
  })

  it('orders times, and refuses what is none', () => {
    const time = fc.oneof(fc.maxSafeNat(), fc.nat(5), fc.constantFrom(2 ** 32, 2 ** 53 - 1))
    fc.assert(
      fc.property(time, time, (a, b) => {
        expect(orderedMs(a) < orderedMs(b)).toBe(a < b)
        expect(msFromOrdered(`key${orderedMs(a)}`, 3)).toBe(a)
      }),
    )
    for (const wrong of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      expect(() => orderedMs(wrong)).toThrow(RangeError)
    }
  })
})
