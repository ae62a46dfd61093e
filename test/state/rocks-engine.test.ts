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
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StoreCorruptError } from '../../state/errors.ts'
import { bytesFromLatin1 } from '../../state/key-layout.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { durableEngineContract } from '../contract/durable-engine-contract.ts'
import { drain, engineContract } from '../contract/engine-contract.ts'

const small = { memoryBytes: 8 * 1024 * 1024 }
const all = { gte: new Uint8Array(), lt: Uint8Array.of(255) }
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

durableEngineContract('rocksdb')

it('rocks engine: refuses too little memory', async () => {
  const directory = newDirectory()
  await expect(RocksEngine.open(directory, { memoryBytes: 1 })).rejects.toThrow(RangeError)
  remove(directory)
})

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
    expect(() => engine.getTexts(keys)).toThrow(StoreCorruptError)
    expect(engine.get(bytesFromLatin1('no such key'))).toBeUndefined()
    await engine.close()
  })
})
