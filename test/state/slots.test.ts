import { beforeEach, describe, expect, it } from 'vitest'
import { namespacePrefix } from '../../state/key-layout.ts'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { Slots, type SealedWrite, type SlotCodec } from '../../state/slots.ts'
import { UndoLog } from '../../state/undo-log.ts'
import { WriteBatch } from '../../state/write-batch.ts'

const prefix = namespacePrefix('0_1', 'counts')
const neighbours = [namespacePrefix('0_1', 'count'), namespacePrefix('0_1', 'counts2')]

let encoded: string[]
let decoded: string[]
const codec: SlotCodec = {
  encode: (value, key) => {
    if (value === 'poison') throw new Error(`cannot encode ${key}`)
    encoded.push(key)
    return Buffer.from(JSON.stringify(value))
  },
  decode: (bytes, key) => {
    decoded.push(key)
    return JSON.parse(Buffer.from(bytes).toString()) as unknown
  },
}

let engine: MemoryEngine
let undo: UndoLog
let slots: Slots

const newSlots = (cachedSlotsMax: number, at = prefix): Slots =>
  new Slots({ engine, prefix: at, codec, undo, cachedSlotsMax })

beforeEach(() => {
  encoded = []
  decoded = []
  engine = MemoryEngine.create(new MemoryDisk())
  undo = new UndoLog()
  slots = newSlots(1000)
})

const write = async (writes: readonly SealedWrite[], at = prefix): Promise<void> => {
  const batch = new WriteBatch()
  for (const { key, value } of writes) {
    if (value === undefined) batch.delete(at, key)
    else batch.put(at, key, value)
  }
  await engine.commit(batch)
}

const put = (rows: Readonly<Record<string, unknown>>, into = slots): void => {
  for (const [key, value] of Object.entries(rows)) {
    if (value === undefined) into.delete(key)
    else into.put(key, value)
  }
  undo.clear()
}

const commit = async (rows: Readonly<Record<string, unknown>>): Promise<void> => {
  put(rows)
  await write(slots.seal())
  slots.applied()
}

const scanned = (of: Iterable<[string, unknown]>): string =>
  [...of].map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(' ')

describe('slots: generations', () => {
  it('reads the newest of dirty, committing, clean', async () => {
    await commit({ a: 1, b: 1, c: 1 })
    put({ a: 2, b: 2 })
    slots.seal()
    put({ a: 3 })
    expect(['a', 'b', 'c', 'd'].map((key) => slots.get(key))).toEqual([3, 2, 1, undefined])
    expect(['a', 'b', 'c', 'd'].map((key) => slots.cleanGet(key))).toEqual([1, 1, 1, undefined])
  })

  it('reads right whether or not the engine holds the sealed generation yet', async () => {
    await commit({ gone: 1, changed: 1 })
    slots = newSlots(1000)
    put({ gone: undefined, changed: 2, added: 2 })
    const writes = slots.seal()
    const seen = (): unknown[] => ['gone', 'changed', 'added'].map((key) => slots.get(key))
    expect(seen()).toEqual([undefined, 2, 2])
    expect(scanned(slots.scan({}))).toBe('added=2 changed=2')
    expect(scanned(slots.cleanScan({}))).toBe('changed=1 gone=1')
    await write(writes)
    expect(seen()).toEqual([undefined, 2, 2])
    expect(scanned(slots.scan({}))).toBe('added=2 changed=2')
    expect(scanned(slots.cleanScan({}))).toBe('added=2 changed=2')
    slots.applied()
    expect(seen()).toEqual([undefined, 2, 2])
    expect(['gone', 'changed'].map((key) => slots.cleanGet(key))).toEqual([undefined, 2])
  })

  it('drops dirty and committing, and reads from the engine again', async () => {
    await commit({ a: 1, b: 1 })
    put({ a: 2, c: 2 })
    slots.seal()
    put({ b: 3, d: 3 })
    expect(slots.dirtyCount).toBe(2)
    slots.drop()
    expect(slots.dirtyCount).toBe(0)
    expect(scanned(slots.scan({}))).toBe('a=1 b=1')
    expect(['a', 'b', 'c', 'd'].map((key) => slots.get(key))).toEqual([1, 1, undefined, undefined])
    expect(slots.seal()).toEqual([])
  })

  it('reads what the engine took after all, if the transaction was dropped', async () => {
    await commit({ a: 1 })
    put({ a: 2 })
    await write(slots.seal())
    slots.drop()
    expect(slots.get('a')).toBe(2)
  })

  it('forgets what it read at clear', async () => {
    await commit({ a: 1 })
    slots.get('a')
    await write([{ key: Buffer.from('a'), value: Buffer.from('7') }]) // as a restore does
    expect(slots.get('a')).toBe(1)
    slots.clear()
    expect(slots.get('a')).toBe(7)
  })

  it('keeps stores apart whose names begin alike', async () => {
    const foreign = { key: Buffer.from('a'), value: Buffer.from('9') }
    for (const at of neighbours) await write([foreign], at)
    await commit({ b: 1 })
    expect(slots.get('a')).toBeUndefined()
    expect(scanned(slots.scan({}))).toBe('b=1')
  })

  it('decodes once, and gives back the very value that was put', async () => {
    await commit({ a: { n: 1 } })
    slots = newSlots(1000)
    expect(slots.get('a')).toBe(slots.get('a'))
    slots.prefetch(['a', 'b', 'b', 'c'])
    slots.prefetch(['a', 'b'])
    expect([slots.get('b'), decoded]).toEqual([undefined, ['a']])
    const value = { n: 2 }
    put({ a: value })
    expect(slots.get('a')).toBe(value)
  })

  it('takes any value but undefined', () => {
    put({ a: null, b: 0, c: '' })
    expect(['a', 'b', 'c'].map((key) => slots.get(key))).toEqual([null, 0, ''])
    expect(() => slots.put('a', undefined)).toThrow(TypeError)
  })
})

describe('slots: seal', () => {
  it('encodes each key once, and deletes', async () => {
    await commit({ a: 1 })
    encoded = []
    put({ b: 1 })
    put({ a: undefined, b: 2 })
    const writes = slots.seal().map(({ key, value }) => `${key}:${value}`)
    expect(writes.sort()).toEqual(['a:undefined', 'b:2'])
    expect(encoded).toEqual(['b'])
  })

  it('writes nothing for a key known to be missing before and after', () => {
    expect(slots.get('a')).toBeUndefined()
    put({ a: 1 })
    put({ a: undefined })
    expect(slots.seal()).toEqual([])
    slots.applied()
    expect(slots.get('a')).toBeUndefined()
  })

  it('writes nothing for a new key that is gone before the seal', () => {
    slots.putNew('a', 1)
    slots.delete('a')
    slots.putNew('b', 1)
    undo.clear()
    expect(slots.seal().map(({ key }) => `${key}`)).toEqual(['b'])
  })

  it('leaves everything as it was if a value cannot be encoded', () => {
    put({ a: 1, b: 'poison', c: 1 })
    expect(() => slots.seal()).toThrow('cannot encode b')
    expect(slots.dirtyCount).toBe(3)
    put({ b: 2 })
    expect(slots.seal()).toHaveLength(3)
  })

  it('refuses a second pending generation, an open record, and applied without seal', () => {
    expect(() => slots.applied()).toThrow('no generation is pending')
    slots.put('a', 1)
    expect(() => slots.seal()).toThrow('a record is still open')
    undo.clear()
    slots.seal()
    put({ a: 2 })
    expect(() => slots.seal()).toThrow('still pending')
    slots.applied()
    expect(slots.seal()).toHaveLength(1)
  })

  it('allows an empty generation', () => {
    expect(slots.seal()).toEqual([])
    expect(() => slots.seal()).toThrow('still pending')
    slots.applied()
  })
})

describe('slots: undo', () => {
  it('gives every key of every store its value from before the record', async () => {
    await commit({ a: 1, b: 1 })
    const other = newSlots(10, neighbours[0])
    put({ a: 2 })
    slots.put('a', 3)
    other.put('x', 1)
    slots.put('new', 1)
    slots.delete('b')
    other.put('x', 2)
    slots.put('a', 4)
    undo.rollback()
    expect(['a', 'b', 'new'].map((key) => slots.get(key))).toEqual([2, 1, undefined])
    expect([other.get('x'), slots.dirtyCount, other.dirtyCount]).toEqual([undefined, 1, 0])
    expect(scanned(slots.scan({}))).toBe('a=2 b=1')
    expect(slots.seal().map(({ key }) => String(key))).toEqual(['a'])
    expect(other.seal()).toEqual([])
  })

  it('shows the stored row where a rolled back write was, evicted or not', async () => {
    await commit({ a: 1, b: 1 })
    slots = newSlots(1)
    expect(scanned(slots.scan({}))).toBe('a=1 b=1')
    slots.put('a', 2)
    undo.rollback()
    expect(scanned(slots.scan({}))).toBe('a=1 b=1')
    for (let i = 0; i < 10; i++) slots.get(`other${i}`)
    expect(scanned(slots.scan({}))).toBe('a=1 b=1')
    expect(scanned(slots.scan({ limit: 2 }))).toBe('a=1 b=1')
  })

  it('lets a key be written again after a rollback, seen by scans', () => {
    put({ a: 1 })
    expect(scanned(slots.scan({}))).toBe('a=1')
    slots.put('b', 1)
    undo.rollback()
    expect(scanned(slots.scan({}))).toBe('a=1')
    put({ b: 2 })
    expect(scanned(slots.scan({ reverse: true }))).toBe('b=2 a=1')
    expect(slots.dirtyCount).toBe(2)
  })
})

describe('slots: scan', () => {
  it.each([
    [{}, 'a=1 b=2 c=1 d=2 e=1'],
    [{ gte: 'b', lt: 'd' }, 'b=2 c=1'],
    [{ reverse: true }, 'e=1 d=2 c=1 b=2 a=1'],
    [{ gte: 'b', reverse: true, limit: 2 }, 'e=1 d=2'],
    [{ limit: 3 }, 'a=1 b=2 c=1'],
    [{ limit: 0 }, ''],
    [{ lt: 'a' }, ''],
    [{ gte: 'd', lt: 'b' }, ''],
  ])('merges the overlay over the engine: %j', async (range, expected) => {
    await commit({ a: 1, b: 1, c: 1, cc: 1, e: 1, f: 1 })
    put({ b: 2, cc: undefined })
    slots.seal()
    put({ d: 2, f: undefined })
    expect(scanned(slots.scan(range))).toBe(expected)
  })

  it('sees nothing that is written while it runs', async () => {
    const rows: Record<string, number> = {}
    for (let i = 0; i < 700; i++) rows[`k${String(i).padStart(4, '0')}`] = i
    await commit(rows)
    put({ k0001: -1 })
    const seen: [string, unknown][] = []
    for (const [key, value] of slots.scan({})) {
      seen.push([key, value])
      put({ [key]: 'rewritten', [`${key}x`]: 'added', k0699: undefined })
      if (key === 'k0300') {
        await write(slots.seal())
        slots.applied()
      }
    }
    expect(seen).toEqual(Object.entries({ ...rows, k0001: -1 }))
    expect(slots.get('k0000x')).toBe('added')
  })

  it('ends early without holding on to anything', async () => {
    const disk = new MemoryDisk()
    engine = MemoryEngine.create(disk)
    slots = newSlots(10)
    for (let i = 0; i < 10; i++) {
      const rows = Array.from({ length: 100 }, (_, k) => [`key-${i}-${k}`, k])
      await commit(Object.fromEntries(rows) as Record<string, number>)
    }
    for (const [key] of slots.scan({})) if (key > 'key-3') break
    slots.scan({}).return!()
    slots.scan({ limit: 5 })
    expect([...slots.scan({})]).toHaveLength(1000)
    expect(disk.viewsBefore.size).toBe(0)
  })
})

describe('slots: cache', () => {
  it('writes and reads rows that were read ahead and evicted before their turn', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
    await commit(Object.fromEntries(keys.map((key, i) => [key, i])))
    const small = newSlots(4)
    small.prefetch(keys)
    for (const key of keys) small.put(key, (small.get(key) as number) + 100)
    undo.clear()
    expect(keys.map((key) => small.get(key))).toEqual(keys.map((_, i) => i + 100))
    await write(small.seal())
    small.applied()
    small.prefetch(keys)
    expect(keys.map((key) => small.get(key))).toEqual(keys.map((_, i) => i + 100))
  })

  it('stays within its bound, but never evicts what is not in the engine', async () => {
    slots = newSlots(50)
    const rows: Record<string, number> = {}
    for (let i = 0; i < 500; i++) rows[`k${i}`] = i
    put(rows)
    const writes = slots.seal()
    for (const [key, value] of Object.entries(rows)) expect(slots.get(key)).toBe(value)
    await write(writes)
    slots.applied()
    for (let i = 0; i < 3000; i++) slots.get(`other${i}`)
    decoded = []
    for (const [key, value] of Object.entries(rows)) expect(slots.get(key)).toBe(value)
    expect(decoded.length).toBeGreaterThanOrEqual(450)
  })

  it('keeps the keys that are used again and again', async () => {
    slots = newSlots(100)
    await commit({ hot: 1 })
    slots.get('hot')
    decoded = []
    for (let i = 0; i < 5000; i++) {
      slots.get(`cold${i}`)
      if (i % 10 === 0) slots.get('hot')
    }
    expect(decoded).toEqual([])
  })
})

describe('slots: who leaves the cache once the engine holds it', () => {
  it('rows that were written and never read, and deleted ones', async () => {
    await commit({ read: 1, deleted: 1 })
    slots.get('read')
    slots.get('deleted')
    put({ blind: 1, read: 2, readBefore: 1 })
    slots.get('readBefore')
    put({ deleted: undefined })
    const writes = slots.seal()
    expect(slots.cached.rows).toBe(4)
    await write(writes)
    slots.applied()
    expect(slots.cached.rows).toBe(2)
    decoded = []
    expect(['read', 'readBefore'].map((key) => slots.get(key))).toEqual([2, 1])
    expect(decoded).toEqual([])
    expect(['blind', 'deleted'].map((key) => slots.get(key))).toEqual([1, undefined])
    expect(decoded).toEqual(['blind'])
  })

  it('rows that were let go, unless they were written or read since', async () => {
    for (const key of ['gone', 'read', 'written', 'later']) slots.putNew(key, 1)
    for (const key of ['gone', 'read', 'written', 'later']) slots.letGo(key)
    slots.get('read')
    undo.clear()
    const first = slots.seal()
    slots.put('written', 2)
    undo.clear()
    await write(first)
    slots.applied()
    expect(slots.cached.rows).toBe(2)
    decoded = []
    expect(['gone', 'read', 'written'].map((key) => slots.get(key))).toEqual([1, 1, 2])
    expect(decoded).toEqual(['gone'])
  })

  it('nothing of a task that was closed while its commit was under way', async () => {
    put({ a: 1, b: 2 })
    const writes = slots.seal()
    slots.release()
    await write(writes)
    slots.applied()
    expect(slots.cached).toEqual({ rows: 0, bytes: 0 })
  })
})

describe('marks', () => {
  /** A row implies a mark for each of its letters. */
  const marking: SlotCodec = {
    ...codec,
    marks: (value, key) => [...(value as string)].map((letter) => `m${letter}${key}`),
  }
  const marksNow = (): readonly string[] => slots.keys({ gte: 'm', lt: 'n' })
  const sealedKeys = (): string[] =>
    slots.seal().map(({ key, value }) => `${value === undefined ? '-' : '+'}${key.toString()}`)

  beforeEach(() => {
    slots = new Slots({ engine, prefix, codec: marking, undo, cachedSlotsMax: 1000 })
  })

  it('are written and deleted with the rows that imply them, where they changed', async () => {
    await commit({ a: 'xy', b: 'x' })
    expect(marksNow()).toEqual(['mxa', 'mxb', 'mya'])
    await commit({ a: 'yz' })
    expect(marksNow()).toEqual(['mxb', 'mya', 'mza'])
    put({ a: undefined, b: 'x' })
    expect(sealedKeys()).toEqual(['-mya', '-mza', '-a', '+b'])
  })

  it('cost nothing between two seals', () => {
    put({ a: 'x' })
    put({ a: '' })
    expect(sealedKeys()).toEqual(['+a'])
  })

  it('are those of the stored row, where a row was written without being read', async () => {
    await commit({ a: 'xy' })
    slots = new Slots({ engine, prefix, codec: marking, undo, cachedSlotsMax: 1000 })
    put({ a: 'y' })
    expect(sealedKeys()).toEqual(['-mxa', '+a'])
  })

  it('of a dropped generation are not there, and come with the next', async () => {
    await commit({ a: 'x' })
    put({ a: 'y' })
    slots.seal()
    slots.drop()
    expect(marksNow()).toEqual(['mxa'])
    await commit({ a: 'y' })
    expect(marksNow()).toEqual(['mya'])
  })
})
