/**
 * Goal: every engine keeps the promises of `state/engine.ts`, so that they can stand in for each
 * other. Method: the same suite is run for each engine by its own test file.
 */

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cursor, Engine } from '../../state/engine.ts'
import { StoreClosedError, StoreConflictError, StoreLockedError } from '../../state/errors.ts'
import { bytesFromLatin1, latin1FromBytes } from '../../state/key-layout.ts'
import { WriteBatch } from '../../state/write-batch.ts'

export interface EngineHarness {
  open(): Promise<Engine>
  dispose(): Promise<void>
}

export interface EngineSupports {
  /** Rows are still there after close and open. */
  readonly reopen: boolean
}

const none = new Uint8Array()
const all = { gte: none, lt: Uint8Array.of(255, 255) }
const bytes = (text: string): Buffer => bytesFromLatin1(text)

export const batchOf = (writes: Readonly<Record<string, string | undefined>>): WriteBatch => {
  const batch = new WriteBatch()
  for (const [key, value] of Object.entries(writes)) {
    if (value === undefined) batch.delete(none, bytes(key))
    else batch.put(none, bytes(key), bytes(value))
  }
  return batch
}

export const drain = (cursor: Cursor, chunk = 3): string[] => {
  const found: string[] = []
  for (;;) {
    const rows = cursor.next(chunk)
    if (rows.length === 0) break
    for (const [key, value] of rows) found.push(`${latin1FromBytes(key)}=${latin1FromBytes(value)}`)
  }
  cursor.close()
  return found
}

const asBytes = (value: string | Uint8Array | undefined): Buffer | undefined => {
  if (typeof value === 'string') return Buffer.from(value)
  return value && Buffer.from(value)
}

const textOf = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : latin1FromBytes(value)

export const engineContract = (
  name: string,
  factory: () => Promise<EngineHarness>,
  supports: EngineSupports,
): void => {
  describe(`engine contract: ${name}`, () => {
    let harness: EngineHarness
    let engine: Engine

    beforeEach(async () => {
      harness = await factory()
      engine = await harness.open()
    })

    afterEach(async () => {
      await engine.close()
      await harness.dispose()
    })

    const get = (key: string): string | undefined => textOf(engine.get(bytes(key)))

    readsAndWrites(() => engine, get)
    scans(() => engine)
    snapshots(() => engine)
    expectations(() => engine, get)
    lifecycle(
      () => engine,
      () => harness,
      supports,
    )
  })
}

type Get = (key: string) => string | undefined

const readsAndWrites = (engine: () => Engine, get: Get): void => {
  it('reads what was committed, and undefined for what was not', async () => {
    await engine().commit(batchOf({ a: '1', b: '', c: '3' }))
    expect(['a', 'b', 'c', 'd'].map(get)).toEqual(['1', '', '3', undefined])
    const many = engine().getMany(['c', 'x', 'a', 'c'].map(bytes))
    expect(many.map(textOf)).toEqual(['3', undefined, '1', '3'])
    expect(engine().getMany([])).toEqual([])
  })

  it('may give values as text, if they are, and as they are if not', async () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 5 }).map((some) => Buffer.from(some)),
      fc.constantFrom('', '\ufeff{}', 'a\0b', '\ufffd').map((text) => Buffer.from(text)),
      fc.constantFrom([0xed, 0xa0, 0x80], [0xc3], [0xf8]).map((some) => Buffer.from(some)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 40 }), async (values) => {
        const batch = new WriteBatch()
        const keys = values.map((_, i) => bytes(`key-${i}`))
        for (const [i, key] of keys.entries()) batch.put(bytes('p'), key, values[i]!)
        await engine().commit(batch)
        const fullKeys = [...keys.map((key) => Buffer.concat([bytes('p'), key])), bytes('none')]
        const found = engine().getTexts?.(fullKeys) ?? engine().getMany(fullKeys)
        expect(found.map(asBytes)).toEqual([...values, undefined])
      }),
    )
  })

  it('lets the last write to a key win within a batch and over batches', async () => {
    const batch = new WriteBatch()
    batch.put(bytes('p'), bytes('k'), bytes('old'))
    batch.delete(bytes('p'), bytes('k'))
    batch.put(bytes('p'), bytes('k'), bytes('new'))
    batch.put(bytes('p'), bytes('gone'), bytes('x'))
    batch.delete(bytes('p'), bytes('gone'))
    await engine().commit(batch)
    expect([get('pk'), get('pgone')]).toEqual(['new', undefined])
    await engine().commit(batchOf({ pk: undefined }))
    expect(get('pk')).toBeUndefined()
  })

  it('takes any bytes, an empty batch and a large value', async () => {
    const every = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i))
    const large = 'v'.repeat(3_000_000)
    await engine().commit(new WriteBatch())
    await engine().commit(batchOf({ [every]: every, large }))
    expect(get(every)).toBe(every)
    expect(get('large') === large).toBe(true)
  })

  it('applies commits in the order of the calls, small after large', async () => {
    const large: Record<string, string> = { k: 'large' }
    for (let i = 0; i < 2000; i++) large[`row-${i}`] = 'x'.repeat(20)
    await Promise.all([
      engine().commit(batchOf(large)),
      engine().commit(batchOf({ k: 'small' })),
      engine().bulkLoad(batchOf({ l: 'bulk' })),
      engine().commit(batchOf({ l: 'after' })),
    ])
    expect([get('k'), get('l')]).toEqual(['small', 'after'])
  })

  it('shows a large commit in flight whole or not at all', async () => {
    const writes = (value: string): WriteBatch => {
      const rows: Record<string, string> = {}
      for (let i = 0; i < 5000; i++) rows[`row-${i}`] = value
      return batchOf(rows)
    }
    await engine().commit(writes('0'))
    for (let round = 1; round <= 5; round++) {
      let settled = false
      const commit = engine()
        .commit(writes(String(round)))
        .then(() => (settled = true))
      while (!settled) {
        const [first, last] = engine()
          .getMany([bytes('row-4999'), bytes('row-0')])
          .map(textOf)
        expect([first, last]).toEqual([last, last])
        await new Promise(setImmediate)
      }
      await commit
      expect(get('row-2500')).toBe(String(round))
    }
  })

  it('gives and takes copies', async () => {
    const value = bytes('same')
    const batch = new WriteBatch()
    batch.put(none, bytes('k'), value)
    value.fill(0)
    await engine().commit(batch)
    engine().get(bytes('k'))!.fill(0)
    engine().scan(all).next(1)[0]![1].fill(0)
    expect(get('k')).toBe('same')
  })

  it('knows how many keys there are, about, and no unknown property', async () => {
    await engine().commit(batchOf({ a: '1', b: '2' }))
    expect(Number(engine().property('rocksdb.estimate-num-keys'))).toBe(2)
    expect(engine().property('no.such.property')).toBeUndefined()
  })

  it('deletes a range: lower bound included, upper not', async () => {
    await engine().commit(batchOf({ a: '1', b: '2', ba: '3', c: '4' }))
    await engine().deleteRange({ gte: bytes('b'), lt: bytes('c') })
    expect(drain(engine().scan(all))).toEqual(['a=1', 'c=4'])
    await engine().deleteRange({ gte: bytes('c'), lt: bytes('a') })
    expect(drain(engine().scan(all))).toEqual(['a=1', 'c=4'])
  })
}

const scans = (engine: () => Engine): void => {
  it('orders keys as unsigned bytes', async () => {
    const rows = { '\xff': '5', '\x80': '4', b: '3', a: '1', 'a\0': '2', '': '0' }
    await engine().commit(batchOf(rows))
    const found = drain(engine().scan(all)).map((row) => row.at(-1))
    expect(found).toEqual(['0', '1', '2', '3', '4', '5'])
  })

  it.each([
    ['whole range', { gte: '', lt: '\xff' }, 'abcde'],
    ['bounds', { gte: 'b', lt: 'd' }, 'bc'],
    ['bounds between keys', { gte: 'aa', lt: 'dd' }, 'bcd'],
    ['reverse', { gte: 'b', lt: 'e', reverse: true }, 'dcb'],
    ['limit', { gte: 'a', lt: 'z', limit: 2 }, 'ab'],
    ['reverse limit', { gte: 'a', lt: 'z', limit: 2, reverse: true }, 'ed'],
    ['limit beyond', { gte: 'd', lt: 'z', limit: 99 }, 'de'],
    ['limit 0', { gte: 'a', lt: 'z', limit: 0 }, ''],
    ['empty range', { gte: 'c', lt: 'c' }, ''],
    ['crossed range', { gte: 'd', lt: 'b' }, ''],
    ['crossed range, reverse', { gte: 'd', lt: 'b', reverse: true }, ''],
  ] as const)('scans: %s', async (_, range, expected) => {
    await engine().commit(batchOf({ a: 'a', b: 'b', c: 'c', d: 'd', e: 'e' }))
    const options = { ...range, gte: bytes(range.gte), lt: bytes(range.lt) }
    for (const chunk of [1, 2, 100]) {
      const found = drain(engine().scan(options), chunk).map((row) => row[0])
      expect(found.join('')).toBe(expected)
    }
    const snapshot = engine().snapshot()
    expect(
      drain(snapshot.scan(options), 2)
        .map((row) => row[0])
        .join(''),
    ).toBe(expected)
    snapshot.close()
    const keysOnly = drain(engine().scan({ ...options, keysOnly: true })).map((row) => row[0])
    expect(keysOnly.join('')).toBe(expected)
  })

  it('keeps giving nothing at the end, and nothing for zero rows', async () => {
    await engine().commit(batchOf({ a: '1' }))
    const cursor = engine().scan(all)
    expect(cursor.next(0)).toEqual([])
    expect(cursor.next(10)).toHaveLength(1)
    expect(cursor.next(10)).toEqual([])
    expect(cursor.next(10)).toEqual([])
    cursor.close()
    cursor.close()
    expect(() => cursor.next(1)).toThrow(StoreClosedError)
  })

  it('holds a cursor at the moment of its creation', async () => {
    await engine().commit(batchOf({ a: '1', b: '2', c: '3', d: '4' }))
    for (const reverse of [false, true]) {
      const cursor = engine().scan({ ...all, reverse })
      const before = drain(engine().scan({ ...all, reverse }))
      const first = cursor.next(1).map(([key, value]) => `${textOf(key)}=${textOf(value)}`)
      await engine().commit(batchOf({ a: 'x', b: undefined, bb: 'new', c: 'x', e: 'new' }))
      expect([...first, ...drain(cursor)]).toEqual(before)
    }
  })
}

const snapshots = (engine: () => Engine): void => {
  it('reads a snapshot as of its creation, by key and by scan, both ways', async () => {
    await engine().commit(batchOf({ a: '1', b: '2', c: '3' }))
    const snapshot = engine().snapshot()
    await engine().commit(batchOf({ a: undefined, b: 'x', bb: 'y', d: 'z' }))
    await engine().commit(batchOf({ a: 'again' }))
    const keys = ['a', 'b', 'bb', 'c', 'd', '']
    expect(keys.map((key) => textOf(snapshot.get(bytes(key))))).toEqual([
      '1',
      '2',
      undefined,
      '3',
      undefined,
      undefined,
    ])
    const up = snapshot.scan(all)
    const down = snapshot.scan({ ...all, reverse: true, limit: 2 })
    expect(textOf(up.next(1)[0]![0])).toBe('a')
    expect(drain(down, 1)).toEqual(['c=3', 'b=2'])
    expect(drain(up, 1)).toEqual(['b=2', 'c=3'])
    snapshot.close()
    expect(() => snapshot.get(bytes('a'))).toThrow(StoreClosedError)
    expect(() => snapshot.scan(all)).toThrow(StoreClosedError)
    expect(() => up.next(1)).toThrow(StoreClosedError)
    expect(drain(engine().scan(all))).toEqual(['a=again', 'b=x', 'bb=y', 'c=3', 'd=z'])
  })
}

const expectations = (engine: () => Engine, get: Get): void => {
  const expecting = (key: string, value: string | undefined, large: boolean): WriteBatch => {
    const batch = new WriteBatch()
    batch.put(none, bytes('written'), bytes(value ?? 'yes'))
    if (large) for (let i = 0; i < 500; i++) batch.put(none, bytes(`fill-${i}`), bytes('x'))
    batch.expect(none, bytes(key), value === undefined ? undefined : bytes(value))
    return batch
  }

  it.each([false, true])('writes only if every expectation holds (large: %s)', async (large) => {
    await engine().commit(batchOf({ position: '7' }))
    const conflicts = [
      ['position', '8'],
      ['position', undefined],
      ['other', '7'],
    ] as const
    for (const [key, value] of conflicts) {
      const commit = engine().commit(expecting(key, value, large))
      await expect(commit).rejects.toThrow(StoreConflictError)
      expect([get('written'), get('fill-1')]).toEqual([undefined, undefined])
    }
    await engine().commit(expecting('position', '7', large))
    await engine().commit(expecting('other', undefined, large))
    expect(get('written')).toBe('yes')
  })

  it('checks expectations against the state before the batch', async () => {
    await engine().commit(batchOf({ position: '7' }))
    const batch = batchOf({ position: '8' })
    batch.expect(none, bytes('position'), bytes('7'))
    await engine().commit(batch)
    expect(get('position')).toBe('8')
  })

  it('goes on after a failed commit', async () => {
    const results = await Promise.allSettled([
      engine().commit(expecting('missing', '1', true)),
      engine().commit(batchOf({ after: 'fine' })),
    ])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    expect(get('after')).toBe('fine')
  })
}

const lifecycle = (
  engine: () => Engine,
  harness: () => EngineHarness,
  supports: EngineSupports,
): void => {
  it('waits in close for commits in flight, then refuses every call', async () => {
    const rows: Record<string, string> = {}
    for (let i = 0; i < 5000; i++) rows[`row-${i}`] = 'x'.repeat(50)
    const cursor = engine().scan(all)
    const snapshot = engine().snapshot()
    let commits = 0
    const inFlight = [batchOf(rows), batchOf({ last: 'one' })].map((batch) =>
      engine()
        .commit(batch)
        .then(() => commits++),
    )
    await Promise.all([engine().close(), engine().close()])
    expect(commits).toBe(2)
    await Promise.all(inFlight)
    await engine().close()

    const closed = engine()
    expect(() => closed.get(bytes('a'))).toThrow(StoreClosedError)
    expect(() => closed.getMany([bytes('a')])).toThrow(StoreClosedError)
    if (closed.getTexts !== undefined) {
      expect(() => closed.getTexts!([bytes('a')])).toThrow(StoreClosedError)
    }
    expect(() => closed.scan(all)).toThrow(StoreClosedError)
    expect(() => closed.snapshot()).toThrow(StoreClosedError)
    expect(() => closed.property('x')).toThrow(StoreClosedError)
    expect(() => cursor.next(1)).toThrow(StoreClosedError)
    expect(() => snapshot.get(bytes('a'))).toThrow(StoreClosedError)
    expect(() => snapshot.scan(all)).toThrow(StoreClosedError)
    cursor.close()
    snapshot.close()
    await expect(closed.commit(batchOf({ a: '1' }))).rejects.toThrow(StoreClosedError)
    await expect(closed.bulkLoad(batchOf({ a: '1' }))).rejects.toThrow(StoreClosedError)
    await expect(closed.deleteRange(all)).rejects.toThrow(StoreClosedError)
  })

  it('refuses calls from the moment close is called', async () => {
    const closing = engine().close()
    expect(() => engine().get(bytes('a'))).toThrow(StoreClosedError)
    await expect(engine().commit(batchOf({ a: '1' }))).rejects.toThrow(StoreClosedError)
    await closing
  })

  it('is open once at a time', async () => {
    await expect(harness().open()).rejects.toThrow(StoreLockedError)
    await engine().commit(batchOf({ still: 'works' }))
  })

  it.runIf(supports.reopen)('finds its rows after close and open', async () => {
    await engine().commit(batchOf({ a: '1', b: '2' }))
    await engine().close()
    const again = await harness().open()
    expect(drain(again.scan(all))).toEqual(['a=1', 'b=2'])
    await again.close()
  })
}
