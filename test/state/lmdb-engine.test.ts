import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../state/engine.ts'
import { StoreConflictError, StoreCorruptError, StoreLockedError } from '../../state/errors.ts'
import { LmdbEngine } from '../../state/lmdb/lmdb-engine.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { durableEngineContract } from '../contract/durable-engine-contract.ts'
import { batchOf, drain, engineContract } from '../contract/engine-contract.ts'

const none = new Uint8Array()
/** Above every key that is made here: of 0xff they have three at most. */
const all = { gte: none, lt: Uint8Array.of(255, 255, 255, 255) }
const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'millrace-lmdb-'))
const remove = (directory: string): void => rmSync(directory, { recursive: true, force: true })

engineContract(
  'lmdb',
  async () => {
    const directory = newDirectory()
    return {
      open: () => LmdbEngine.open(directory),
      dispose: async () => remove(directory),
    }
  },
  { reopen: true },
)

durableEngineContract('lmdb')

/**
 * Goal: keys longer than LMDB's behave as any others.
 * Method: random batches, ranges and look-ups over keys around the limit, many with the same
 * beginning, on LMDB and on the reference engine; both must answer the same.
 */
describe('lmdb engine: keys of any length', () => {
  let directory: string
  let engine: Engine

  beforeEach(async () => {
    directory = newDirectory()
    engine = await LmdbEngine.open(directory)
  })

  afterEach(async () => {
    await engine.close()
    remove(directory)
  })

  const tail = fc.string({ unit: fc.constantFrom('\0', 'a', '\xff'), maxLength: 3 })
  const key = fc
    .tuple(fc.constantFrom('x', 'y'), fc.constantFrom(0, 1, 1897, 1899, 1900, 3000), tail)
    .map(([letter, length, end]) => letter.repeat(length) + end)
  const range = fc.record({
    gte: key,
    lt: key,
    reverse: fc.boolean(),
    limit: fc.option(fc.nat(4), { nil: undefined }),
  })

  const rangeOf = ({ gte, lt }: { readonly gte: string; readonly lt: string }) => ({
    gte: Buffer.from(gte, 'latin1'),
    lt: Buffer.from(lt, 'latin1'),
  })

  /** A commit waits for the disk: several writes in one, several commits in a run. */
  const commitWrites = 5
  const writesOf = (writes: readonly (readonly [string, string | null])[]): WriteBatch => {
    const batch = new WriteBatch()
    for (const [written, value] of writes) {
      if (value === null) batch.delete(none, Buffer.from(written, 'latin1'))
      else batch.put(none, Buffer.from(written, 'latin1'), Buffer.from(value, 'latin1'))
    }
    return batch
  }

  it('agrees with the reference engine', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(key, fc.option(fc.string({ maxLength: 5 }))), { maxLength: 25 }),
        fc.array(range, { minLength: 1, maxLength: 5 }),
        range,
        async (writes, ranges, deleted) => {
          const reference = MemoryEngine.create()
          await engine.deleteRange(all)
          for (const each of [reference, engine]) {
            for (let at = 0; at < writes.length; at += commitWrites) {
              await each.commit(writesOf(writes.slice(at, at + commitWrites)))
            }
            if (deleted.limit === undefined) await each.deleteRange(rangeOf(deleted))
          }
          for (const { reverse, limit, ...bounds } of [
            ...ranges,
            { gte: '', lt: 'z', reverse: false, limit: undefined },
          ]) {
            const options = {
              ...rangeOf(bounds),
              reverse,
              ...(limit === undefined ? {} : { limit }),
            }
            expect(drain(engine.scan(options), 2)).toEqual(drain(reference.scan(options), 2))
          }
          const keys = writes.map(([written]) => Buffer.from(written, 'latin1'))
          const text = (found: Uint8Array | undefined): string | undefined =>
            found === undefined ? undefined : String(found)
          expect(engine.getMany(keys).map(text)).toEqual(reference.getMany(keys).map(text))
        },
      ),
      { numRuns: 30 },
    )
  }, 60_000)

  it('compares, reads in snapshots and deletes by long keys', async () => {
    const long = 'k'.repeat(5_000)
    await engine.commit(batchOf({ [long]: 'one', [`${long}2`]: 'two' }))
    const snapshot = engine.snapshot()
    const batch = batchOf({ [long]: 'new' })
    batch.expect(none, Buffer.from(`${long}2`), Buffer.from('two'))
    batch.expect(none, Buffer.from(`${long}3`), undefined)
    await engine.commit(batch)
    const stale = new WriteBatch()
    stale.expect(none, Buffer.from(long), Buffer.from('one'))
    await expect(engine.commit(stale)).rejects.toThrow(StoreConflictError)
    expect(String(snapshot.get(Buffer.from(long)))).toBe('one')
    expect(String(engine.get(Buffer.from(long)))).toBe('new')
    snapshot.close()
    await engine.commit(batchOf({ [long]: undefined }))
    expect(engine.get(Buffer.from(long))).toBeUndefined()
    expect(drain(engine.scan(all))).toEqual([`${long}2=two`])
  })

  it('deletes a range of many rows, and holds values of many MiB', async () => {
    const rows: Record<string, string> = {}
    for (let i = 0; i < 25_000; i++) rows[`row-${i}`] = 'x'
    await engine.commit(batchOf(rows))
    await engine.commit(batchOf({ large: 'v'.repeat(40_000_000), s: 'small' }))
    await engine.deleteRange({ gte: Buffer.from('row'), lt: Buffer.from('rox') })
    expect(engine.property('rocksdb.estimate-num-keys')).toBe('2')
    expect(engine.get(Buffer.from('large'))).toHaveLength(40_000_000)
    const [large, small] = engine.scan(all).next(3)
    expect([large![1].length, String(small![1])]).toEqual([40_000_000, 'small'])
  }, 30_000)
})

it('lmdb engine: refuses a process in another container, seen only by LMDB', async () => {
  const directory = newDirectory()
  const child = new URL('../contract/engine-crash-child.ts', import.meta.url).pathname
  const holder = spawn(process.execPath, [child, 'lmdb', directory])
  try {
    await once(holder.stdout, 'data')
    rmSync(join(directory, 'lock.json'))
    const opened = LmdbEngine.open(directory)
    await expect(opened).rejects.toThrow(StoreLockedError)
    await expect(opened).rejects.toMatchObject({ pid: holder.pid })
  } finally {
    holder.kill('SIGKILL')
    await once(holder, 'close')
  }
  const engine = await LmdbEngine.open(directory)
  expect(engine.get(Buffer.from('position'))).toBeDefined()
  await engine.close()
  remove(directory)
})

describe('lmdb engine: damaged files', () => {
  const pristine = newDirectory()
  let directory: string

  beforeEach(async () => {
    if (!existsSync(join(pristine, 'data.mdb'))) await fill(pristine)
    directory = newDirectory()
    cpSync(pristine, directory, { recursive: true })
  })

  afterEach(() => remove(directory))
  afterAll(() => remove(pristine))

  const file = (): string => join(directory, 'data.mdb')
  const overwrite = (from: number, to: number): void => {
    const content = readFileSync(file())
    content.fill(0xa5, Math.floor(from * content.length), Math.floor(to * content.length))
    writeFileSync(file(), content)
  }

  it.each<[string, () => void]>([
    ['the first head overwritten', () => overwrite(0, 100 / statSync(file()).size)],
    ['everything overwritten', () => overwrite(0, 1)],
    ['another kind of file', () => writeFileSync(file(), 'nonsense')],
    ['cut within the heads', () => truncateSync(file(), 5_000)],
    [
      'cut in the middle',
      () => truncateSync(file(), Math.floor(statSync(file()).size / 8192) * 4096),
    ],
  ])('refuses to open with StoreCorruptError: %s', async (_, damage) => {
    damage()
    const opened = LmdbEngine.open(directory)
    await expect(opened).rejects.toThrow(StoreCorruptError)
    await expect(opened).rejects.toThrow(directory)
    // the refusal holds no lock
    await expect(LmdbEngine.open(directory)).rejects.toThrow(StoreCorruptError)
  })

  it('opens a file that lacks pages which no row is in', async () => {
    const content = readFileSync(file())
    for (const lastPageAt of [144, 4096 + 144]) {
      content.writeBigUInt64LE(content.readBigUInt64LE(lastPageAt) + 10n, lastPageAt)
    }
    writeFileSync(file(), content)
    const engine = await LmdbEngine.open(directory)
    await engine.commit(batchOf({ a: '1' }))
    expect(drain(engine.scan(all), 1000)).toHaveLength(10_001)
    await engine.close()
  })

  it('fails the reads that meet damaged pages with StoreCorruptError, and goes on', async () => {
    overwrite(0.2, 0.6)
    const engine = await LmdbEngine.open(directory)
    expect(() => drain(engine.scan(all), 1000)).toThrow(StoreCorruptError)
    const keys = Array.from({ length: 10_000 }, (_, i) => Buffer.from(`key-${i}`))
    expect(() => engine.getMany(keys)).toThrow(StoreCorruptError)
    expect(() => engine.getMany(keys)).toThrow(StoreCorruptError)
    await engine.close()
  })
})

const fill = async (directory: string): Promise<void> => {
  const engine = await LmdbEngine.open(directory)
  for (let round = 0; round < 10; round++) {
    const batch = new WriteBatch()
    for (let i = round; i < 10_000; i += 10) {
      batch.put(none, Buffer.from(`key-${i}`), Buffer.alloc(200, round))
    }
    await engine.commit(batch)
  }
  await engine.close()
}
