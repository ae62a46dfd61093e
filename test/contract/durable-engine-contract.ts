/**
 * Goal: an engine of the disk cannot be misused into ending the process, and loses nothing that it
 * acknowledged: not to kill -9, not to a full device, not to a second process.
 * Method: the same suite for each of them, beside `engine-contract.ts`; processes of their own are
 * killed, exit in the middle of a commit, or find the directory in use.
 */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../state/engine.ts'
import {
  StoreClosedError,
  StoreFullError,
  StoreIoError,
  StoreLockedError,
  StoreMismatchError,
} from '../../state/errors.ts'
import { bytesFromLatin1 } from '../../state/key-layout.ts'
import type { DiskEngine } from '../../state/made-by.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { batchOf, drain } from './engine-contract.ts'
import { openEngineKind } from './engine-kinds.ts'

const all = { gte: new Uint8Array(), lt: Uint8Array.of(255) }
const kills = 12
const moduleUrl = (path: string): string => new URL(path, import.meta.url).href
const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'millrace-engine-'))
const remove = (directory: string): void => rmSync(directory, { recursive: true, force: true })

export const durableEngineContract = (kind: DiskEngine): void => {
  const open = (directory: string): Promise<Engine> => openEngineKind(kind, directory)
  misuse(kind, open)
  processes(kind, open)
  crashes(kind, open)
  fullDevice(kind, open)
  places(kind, open)
}

type Open = (directory: string) => Promise<Engine>

const misuse = (kind: DiskEngine, open: Open): void => {
  describe(`${kind}: misuse`, () => {
    let directory: string
    let engine: Engine

    beforeEach(async () => {
      directory = newDirectory()
      engine = await open(directory)
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
        if (engine.getTexts !== undefined) {
          expect(() => engine.getTexts!([bad(value)])).toThrow(TypeError)
        }
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

    it('closes what was left open, and leaves its handles harmless', async () => {
      await engine.commit(batchOf({ a: '1', b: '2' }))
      const cursors = Array.from({ length: 50 }, () => engine.scan(all))
      const snapshot = engine.snapshot()
      cursors[0]!.next(1)
      await engine.commit(batchOf({ a: 'later' }))
      cursors.push(engine.scan(all))
      cursors.at(-1)!.next(1)
      await engine.close()
      const again = await open(directory)
      for (const cursor of cursors) {
        expect(() => cursor.next(1)).toThrow(StoreClosedError)
        cursor.close()
      }
      snapshot.close()
      snapshot.close()
      expect(drain(again.scan(all))).toEqual(['a=later', 'b=2'])
      await again.close()
    })
  })
}

const processes = (kind: DiskEngine, open: Open): void => {
  describe(`${kind}: processes`, () => {
    const directory = newDirectory()
    afterAll(() => remove(directory))

    const run = (
      body: string,
      place: string,
    ): { status: number | null; stdout: string; stderr: string } => {
      const script = `
        import { openEngineKind } from ${JSON.stringify(moduleUrl('./engine-kinds.ts'))}
        import { WriteBatch } from ${JSON.stringify(moduleUrl('../../state/write-batch.ts'))}
        const open = () => openEngineKind(${JSON.stringify(kind)}, process.argv[1])
        ${body}`
      const args = ['--input-type=module', '-e', script, place]
      return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 })
    }

    /** Runs `body` with an open engine, a large batch and a cursor in scope. */
    const runWithEngine = (body: string): ReturnType<typeof run> =>
      run(
        `const engine = await open()
        const batch = new WriteBatch()
        const [prefix, value] = [Buffer.from('p'), Buffer.from('v')]
        for (let i = 0; i < 20000; i++) batch.put(prefix, Buffer.from('k' + i), value)
        const cursor = engine.scan({ gte: Buffer.from('a'), lt: Buffer.from('z') })
        ${body}`,
        join(directory, 'other'),
      )

    it('does not keep the process alive, but awaits a commit in flight', () => {
      const ended = runWithEngine(`await engine.commit(batch)
        console.log('committed', cursor.next(1).length)`)
      expect(ended).toMatchObject({ status: 0, stdout: 'committed 0\n' })
    })

    it.each([1, 5, 10, 20, 40])(
      'lets the process exit while the writer thread is writing, after %s ms',
      (afterMs) => {
        const ended = runWithEngine(`const first = new WriteBatch()
          first.put(prefix, prefix, value)
          await engine.commit(first) // the thread runs
          void engine.commit(batch)
          setTimeout(() => process.exit(7), ${afterMs})`)
        expect(ended).toMatchObject({ status: 7, stderr: '' })
      },
      30_000,
    )

    it('refuses a second process with StoreLockedError while the first one runs', async () => {
      const place = join(directory, 'held')
      const engine = await open(place)
      const { stdout } = run('await open().catch((e) => console.log(e.code, e.action))', place)
      expect(stdout).toBe('STATE_LOCKED stop\n')
      await engine.close()
    })
  })
}

const crashes = (kind: DiskEngine, open: Open): void => {
  const child = new URL('./engine-crash-child.ts', import.meta.url).pathname

  /** Starts a child, kills it `afterMs` after its first commit; the last number it acknowledged. */
  const runAndKill = async (directory: string, afterMs: number): Promise<number> => {
    const victim = spawn(process.execPath, [child, kind, directory], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let errors = ''
    victim.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output === '') setTimeout(() => victim.kill('SIGKILL'), afterMs)
      output += text
    })
    victim.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    const [code, signal] = (await once(victim, 'close')) as [number | null, string | null]
    expect({ code, signal, errors }).toEqual({ code: null, signal: 'SIGKILL', errors: '' })
    const complete = output.slice(0, output.lastIndexOf('\n')).split('\n')
    return Number(complete.at(-1))
  }

  it(`${kind}: survives ${kills} times kill -9 during commits`, async () => {
    const directory = newDirectory()
    let before = 0
    for (let round = 0; round < kills; round++) {
      const acknowledged = await runAndKill(directory, Math.random() * 60)
      expect(acknowledged).toBeGreaterThan(before)

      const engine = await open(directory)
      const read = (key: string): number => Number(String(engine.get(Buffer.from(key)) ?? '0'))
      const position = read('position')
      expect(position).toBeGreaterThanOrEqual(acknowledged)
      for (let i = 0; i < 5; i++) expect(read(`few-${i}`)).toBe(position)
      for (let i = 0; i < 1000; i += 37) expect(read(`many-${i}`)).toBe(position - (position % 3))
      await engine.close()
      before = position
    }
    remove(directory)
  }, 60_000)
}

const fullDevice = (kind: DiskEngine, open: Open): void => {
  describe(`${kind}: a full device`, () => {
    const mountPoint = newDirectory()

    afterAll(() => {
      spawnSync('umount', [mountPoint])
      remove(mountPoint)
    })

    const commit = (engine: Engine, round: number): Promise<void> => {
      const batch = new WriteBatch()
      for (let i = 0; i < 100; i++) {
        batch.put(Buffer.from(`r${round}-`), Buffer.from(String(i)), Buffer.alloc(1000, round))
      }
      batch.put(Buffer.from('position'), new Uint8Array(), Buffer.from(String(round)))
      return engine.commit(batch)
    }

    it('fails the commit, keeps what was acknowledged, resumes', async ({ skip }) => {
      const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mountPoint])
      if (status !== 0) return skip('no tmpfs can be mounted here')
      const directory = join(mountPoint, 'db')
      const engine = await open(directory)
      let acknowledged = -1
      let failure: unknown
      for (let round = 0; round < 1000 && failure === undefined; round++) {
        await commit(engine, round).then(
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
        resumed = await commit(engine, acknowledged + 1).then(
          () => true,
          () => false,
        )
        if (!resumed) await new Promise((resolve) => setTimeout(resolve, 100))
      }
      expect(resumed).toBe(true)
      await engine.close()

      const again = await open(directory)
      expect(String(again.get(bytesFromLatin1('position')))).toBe(String(acknowledged + 1))
      for (let round = 0; round <= acknowledged + 1; round++) {
        const rows = again.scan({ gte: Buffer.from(`r${round}-`), lt: Buffer.from(`r${round}.`) })
        expect(rows.next(1000)).toHaveLength(100)
        rows.close()
      }
      await again.close()
    }, 60_000)
  })
}

const places = (kind: DiskEngine, open: Open): void => {
  it(`${kind}: says that a path is no directory`, async () => {
    const directory = newDirectory()
    const file = join(directory, 'file')
    writeFileSync(file, '')
    await expect(open(file)).rejects.toThrow(StoreIoError)
    await expect(open(file)).rejects.not.toThrow(StoreLockedError)
    remove(directory)
  })

  it(`${kind}: refuses the database of another engine, naming both and the way out`, async () => {
    const directory = newDirectory()
    const other = kind === 'lmdb' ? 'rocksdb' : 'lmdb'
    const engine = await openEngineKind(other, directory)
    await engine.commit(batchOf({ a: '1' }))
    await engine.close()
    const opened = open(directory)
    await expect(opened).rejects.toThrow(StoreMismatchError)
    const words = `was made by ${other} and cannot be opened with ${kind}: start with `
    await expect(opened).rejects.toThrow(`${words}--state-engine ${other}`)
    const again = await openEngineKind(other, directory)
    expect(drain(again.scan(all))).toEqual(['a=1'])
    await again.close()
    remove(directory)
  })
}
