import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  StoreClosedError,
  StoreCorruptError,
  StoreFullError,
  StoreIoError,
  StoreLockedError,
} from '../../state/errors.ts'
import { bytesFromLatin1 } from '../../state/key-layout.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { batchOf, drain, engineContract } from '../contract/engine-contract.ts'

const small = { memoryBytes: 8 * 1024 * 1024 }
const all = { gte: new Uint8Array(), lt: Uint8Array.of(255) }
const moduleUrl = (path: string): string => new URL(`../../state/${path}`, import.meta.url).href
const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'millrace-rocks-'))
const remove = (directory: string): void => rmSync(directory, { recursive: true, force: true })

for (const sync of [false, true]) {
  engineContract(
    `rocksdb, sync ${sync}`,
    async () => {
      const directory = newDirectory()
      return {
        open: () => RocksEngine.open(directory, { ...small, sync }),
        dispose: async () => remove(directory),
      }
    },
    { reopen: true },
  )
}

/** Enough rows that several tables are written, so that there is something to damage. */
const fill = async (directory: string): Promise<void> => {
  const engine = await RocksEngine.open(directory, { memoryBytes: 6 * 1024 * 1024 })
  for (let round = 0; round < 40; round++) {
    const batch = new WriteBatch()
    for (let i = 0; i < 2000; i++) {
      const key = Buffer.from(`key-${String((i * 7919 + round) % 80_000).padStart(6, '0')}`)
      batch.put(new Uint8Array(), key, Buffer.alloc(200, round))
    }
    await engine.commit(batch)
  }
  await engine.close()
}

describe('rocks engine: misuse', () => {
  let directory: string
  let engine: RocksEngine

  beforeEach(async () => {
    directory = newDirectory()
    engine = await RocksEngine.open(directory, small)
  })

  afterEach(async () => {
    await engine.close()
    remove(directory)
  })

  it('refuses arguments of a wrong type instead of passing them on', async () => {
    const bad = (value: unknown): never => value as never
    for (const value of ['text', 5, null, undefined, {}, [1], { buffer: 1, byteOffset: 0 }]) {
      expect(() => engine.get(bad(value))).toThrow(TypeError)
      expect(() => engine.getMany([bad(value)])).toThrow(TypeError)
      expect(() => engine.scan({ ...all, gte: bad(value) })).toThrow(TypeError)
      expect(() => engine.scan({ ...all, lt: bad(value) })).toThrow(TypeError)
      await expect(engine.deleteRange({ ...all, gte: bad(value) })).rejects.toThrow(TypeError)
      await expect(engine.commit(bad(value))).rejects.toThrow(TypeError)
    }
    for (const limit of ['5', -1, 1.5, NaN, null]) {
      expect(() => engine.scan({ ...all, limit: bad(limit) })).toThrow(TypeError)
    }
    expect(() => engine.property(bad(7))).toThrow(TypeError)
    const cursor = engine.scan(all)
    for (const max of ['many', -1, NaN, undefined]) {
      expect(() => cursor.next(bad(max))).toThrow(TypeError)
    }
    await engine.commit(batchOf({ fine: '1' }))
    expect(drain(engine.scan({ ...all, limit: Infinity }))).toEqual(['fine=1'])
  })

  it('refuses a batch that was committed before', async () => {
    const rows: Record<string, string> = {}
    for (let i = 0; i < 1000; i++) rows[`row-${i}`] = 'x'
    const batch = batchOf(rows)
    await engine.commit(batch)
    await expect(engine.commit(batch)).rejects.toThrow()
    await engine.commit(batchOf({ fine: '1' }))
  })

  it('closes what was left open, and leaves handles of the closed database harmless', async () => {
    await engine.commit(batchOf({ a: '1', b: '2' }))
    const cursors = Array.from({ length: 50 }, () => engine.scan(all))
    const snapshot = engine.snapshot()
    cursors[0]!.next(1)
    await engine.close()
    const again = await RocksEngine.open(directory, small)
    for (const cursor of cursors) {
      expect(() => cursor.next(1)).toThrow(StoreClosedError)
      cursor.close()
    }
    snapshot.close()
    snapshot.close()
    expect(drain(again.scan(all))).toEqual(['a=1', 'b=2'])
    await again.close()
  })

  it('refuses too little memory', async () => {
    await expect(RocksEngine.open(directory, { memoryBytes: 1 })).rejects.toThrow(RangeError)
  })

  /** Runs `body` in a new process, with an open engine, a large batch and a cursor in scope. */
  const runProcess = (body: string): { status: number | null; stdout: string; stderr: string } => {
    const script = `
      import { RocksEngine } from ${JSON.stringify(moduleUrl('rocksdb/rocks-engine.ts'))}
      import { WriteBatch } from ${JSON.stringify(moduleUrl('write-batch.ts'))}
      const engine = await RocksEngine.open(process.argv[1], { memoryBytes: ${8 << 20} })
      const batch = new WriteBatch()
      const [prefix, value] = [Buffer.from('p'), Buffer.from('v')]
      for (let i = 0; i < 20000; i++) batch.put(prefix, Buffer.from('k' + i), value)
      const cursor = engine.scan({ gte: Buffer.from('a'), lt: Buffer.from('z') })
      ${body}`
    const args = ['--input-type=module', '-e', script, join(directory, 'other')]
    return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 })
  }

  it('does not keep the process alive, but awaits a commit in flight', () => {
    const ended = runProcess(`await engine.commit(batch)
      console.log('committed', cursor.next(1).length)`)
    expect(ended).toMatchObject({ status: 0, stdout: 'committed 0\n' })
  })

  it('lets the process exit while the writer thread is writing', () => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const ended = runProcess('void engine.commit(batch); setTimeout(() => process.exit(7), 5)')
      expect(ended).toMatchObject({ status: 7, stderr: '' })
    }
  })
})

describe('rocks engine: another process', () => {
  it('is refused with StoreLockedError while the first one runs', async () => {
    const directory = newDirectory()
    const engine = await RocksEngine.open(directory, small)
    const script = `
      import { RocksEngine } from ${JSON.stringify(moduleUrl('rocksdb/rocks-engine.ts'))}
      await RocksEngine.open(process.argv[1]).catch((e) => console.log(e.code, e.action))
    `
    const { stdout } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, directory],
      { encoding: 'utf8' },
    )
    expect(stdout).toBe('STATE_LOCKED stop\n')
    await engine.close()
    remove(directory)
  })
})

describe('rocks engine: damaged files', () => {
  const pristine = newDirectory()
  let directory: string

  beforeEach(async () => {
    if (!existsSync(join(pristine, 'CURRENT'))) await fill(pristine)
    directory = newDirectory()
    cpSync(pristine, directory, { recursive: true })
  })

  afterEach(() => remove(directory))
  afterAll(() => remove(pristine))

  const fileOf = (pattern: RegExp): string =>
    join(
      directory,
      readdirSync(directory)
        .filter((name) => pattern.test(name))
        .sort()
        .at(-1)!,
    )

  const overwriteMiddle = (file: string): void => {
    const content = readFileSync(file)
    content.fill(0xa5, Math.floor(content.length * 0.2), Math.floor(content.length * 0.6))
    writeFileSync(file, content)
  }

  it.each<[string, () => void]>([
    ['MANIFEST overwritten', () => overwriteMiddle(fileOf(/^MANIFEST/))],
    ['MANIFEST missing', () => remove(fileOf(/^MANIFEST/))],
    ['CURRENT garbled', () => writeFileSync(join(directory, 'CURRENT'), 'nonsense')],
    ['CURRENT missing', () => remove(join(directory, 'CURRENT'))],
    ['CURRENT empty', () => truncateSync(join(directory, 'CURRENT'))],
    ['a table missing', () => remove(fileOf(/\.sst$/))],
    ['a table cut off', () => truncateSync(fileOf(/\.sst$/), 100)],
  ])('refuses to open with StoreCorruptError: %s', async (_, damage) => {
    damage()
    const opened = RocksEngine.open(directory, small)
    await expect(opened).rejects.toThrow(StoreCorruptError)
    await expect(opened).rejects.toThrow(directory)
  })

  it('fails the reads that meet a damaged table with StoreCorruptError, and goes on', async () => {
    for (const name of readdirSync(directory)) {
      const file = join(directory, name)
      // In a small table the middle would be its index, without which nothing can be opened.
      if (name.endsWith('.sst') && statSync(file).size > 200_000) overwriteMiddle(file)
    }
    const engine = await RocksEngine.open(directory, small)
    expect(() => drain(engine.scan(all), 1000)).toThrow(StoreCorruptError)
    const keys = Array.from({ length: 80_000 }, (_, i) =>
      Buffer.from(`key-${String(i).padStart(6, '0')}`),
    )
    expect(() => engine.getMany(keys)).toThrow(StoreCorruptError)
    expect(engine.get(bytesFromLatin1('no such key'))).toBeUndefined()
    await engine.close()
  })
})

describe('rocks engine: a full device', () => {
  const mountPoint = newDirectory()

  afterAll(() => {
    spawnSync('umount', [mountPoint])
    remove(mountPoint)
  })

  it('fails the commit, keeps what was acknowledged, resumes', async ({ skip }) => {
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mountPoint])
    if (status !== 0) return skip('no tmpfs can be mounted here')
    const directory = join(mountPoint, 'db')
    const engine = await RocksEngine.open(directory, small)
    let acknowledged = -1
    const commit = (round: number): Promise<void> => {
      const batch = new WriteBatch()
      for (let i = 0; i < 100; i++) {
        batch.put(Buffer.from(`r${round}-`), Buffer.from(String(i)), Buffer.alloc(1000, round))
      }
      batch.put(Buffer.from('position'), new Uint8Array(), Buffer.from(String(round)))
      return engine.commit(batch)
    }
    let failure: unknown
    for (let round = 0; round < 1000 && failure === undefined; round++) {
      await commit(round).then(
        () => (acknowledged = round),
        (error: unknown) => (failure = error),
      )
    }
    expect(failure).toBeInstanceOf(StoreFullError)
    expect((failure as StoreFullError).action).toBe('retry')
    expect(acknowledged).toBeGreaterThan(10)
    const position = (): string => String(engine.get(bytesFromLatin1('position')))
    expect(position()).toBe(String(acknowledged))
    expect(engine.get(Buffer.from(`r${acknowledged + 1}-0`))).toBeUndefined()

    // RocksDB looks again every 5 s; a compaction may want as much again as there is
    expect(spawnSync('mount', ['-o', 'remount,size=64m', mountPoint]).status).toBe(0)
    let resumed = false
    for (let attempt = 0; attempt < 300 && !resumed; attempt++) {
      resumed = await commit(acknowledged + 1).then(
        () => true,
        () => false,
      )
      if (!resumed) await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(resumed).toBe(true)
    await engine.close()

    const again = await RocksEngine.open(directory, small)
    expect(String(again.get(bytesFromLatin1('position')))).toBe(String(acknowledged + 1))
    for (let round = 0; round <= acknowledged + 1; round++) {
      const rows = again.scan({ gte: Buffer.from(`r${round}-`), lt: Buffer.from(`r${round}.`) })
      expect(rows.next(1000)).toHaveLength(100)
      rows.close()
    }
    await again.close()
  }, 60_000)
})

describe('rocks engine: a path that is no directory', () => {
  it('says so', async () => {
    const directory = newDirectory()
    const file = join(directory, 'file')
    writeFileSync(file, '')
    await expect(RocksEngine.open(file)).rejects.toThrow(StoreIoError)
    await expect(RocksEngine.open(file)).rejects.not.toThrow(StoreLockedError)
    remove(directory)
  })
})
