import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StateDirectory } from '../../state/directory.ts'
import {
  StoreCorruptError,
  StoreFullError,
  StoreIoError,
  StoreLockedError,
} from '../../state/errors.ts'

const moduleUrl = new URL('../../state/directory.ts', import.meta.url).href
let parent: string
let path: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'millrace-directory-'))
  path = join(parent, 'deep', 'state')
})

afterEach(() => rmSync(parent, { recursive: true, force: true }))

const lockFile = (): string => join(path, 'lock.json')

/** Runs `body` in another process with `StateDirectory` and `path` in scope. */
const argumentsFor = (body: string): string[] => [
  '--input-type=module',
  '-e',
  `import { StateDirectory } from ${JSON.stringify(moduleUrl)}
  const path = process.argv[1]
  ${body}`,
  path,
]

describe('state directory', () => {
  it('says where it cannot be made, at once', () => {
    writeFileSync(join(parent, 'file'), '')
    const inFile = join(parent, 'file', 'state')
    expect(() => StateDirectory.lock(inFile)).toThrow(StoreIoError)
    if (process.platform === 'linux') {
      expect(() => StateDirectory.lock('/proc/state')).toThrow(StoreIoError)
    }
  })

  it('says in one sentence what is wrong with a place, and what to do', () => {
    const file = join(parent, 'file')
    writeFileSync(file, '')
    const isFile = 'it, or what it should lie in, is a file; choose another directory'
    expect(() => StateDirectory.lock(file)).toThrow(`store in ${file}: ${isFile}`)
    expect(() => StateDirectory.readLock(file)).toThrow(`store in ${file}: ${isFile}`)
    expect(() => StateDirectory.lock(join(file, 'state'))).toThrow(isFile)
    expect(() => StateDirectory.readLock(file)).toThrow(StoreIoError)
  })

  it.each([
    ["EROFS: read-only file system, open '/x'", 'its file system is read-only; make it writable'],
    ['IO error: While open /x: Read-only file system', 'its file system is read-only'],
    ["EACCES: permission denied, mkdir '/x'", 'this user may not write there; allow it'],
    ['Input/output error', 'store in /x: Input/output error'],
  ])('tells %j in plain words', (said, told) => {
    const { message } = new StoreIoError('/x', new Error(said))
    expect(message).toContain(told)
    expect(message).not.toMatch(/E[A-Z]{3,}/)
  })

  it('tells what to do about damage', () => {
    const { message } = new StoreCorruptError('/x/state', new Error('bad block'))
    expect(message).toContain('store in /x/state is damaged: bad block')
    expect(message).toMatch(/restore its whole state directory from a backup, or delete/)
  })

  it('is created, held by one, and free again after unlock', () => {
    const held = StateDirectory.lock(path)
    expect(() => StateDirectory.lock(path)).toThrow(StoreLockedError)
    try {
      StateDirectory.lock(path)
    } catch (error) {
      expect((error as StoreLockedError).pid).toBe(process.pid)
    }
    expect(StateDirectory.readLock(path)?.pid).toBe(process.pid)
    held.unlock()
    held.unlock()
    expect(StateDirectory.readLock(path)).toBeUndefined()
    StateDirectory.lock(path).unlock()
    expect(readdirSync(path)).toEqual([])
  })

  it('tells where the process can be reached, as long as it holds the lock', () => {
    const held = StateDirectory.lock(path)
    held.setAddress('http://localhost:4000')
    expect(StateDirectory.readLock(path)?.address).toBe('http://localhost:4000')
    expect(StateDirectory.readLock(path)?.startedAtMs).toBeGreaterThan(1.6e12)
    held.unlock()
    expect(() => held.setAddress('http://localhost:1')).toThrow('not locked')
  })

  it('refuses a second process, naming the pid of the first', () => {
    const held = StateDirectory.lock(path)
    const body = 'try { StateDirectory.lock(path) } catch (e) { console.log(e.code, e.pid) }'
    const { stdout } = spawnSync(process.execPath, argumentsFor(body), { encoding: 'utf8' })
    expect(stdout).toBe(`STATE_LOCKED ${process.pid}\n`)
    held.unlock()
  })

  it('is free after the death of its process', async () => {
    const body = 'StateDirectory.lock(path); console.log("held"); setInterval(() => {}, 1000)'
    const child = spawn(process.execPath, argumentsFor(body), { stdio: 'pipe' })
    await once(child.stdout, 'data')
    expect(() => StateDirectory.lock(path)).toThrow(StoreLockedError)
    expect(StateDirectory.readLock(path)?.pid).toBe(child.pid)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(StateDirectory.readLock(path)).toBeUndefined()
    StateDirectory.lock(path).unlock()
    expect(readdirSync(path)).toEqual([])
  })

  it.runIf(process.platform === 'linux')('notices that a pid is used by another process', () => {
    const held = StateDirectory.lock(path)
    const lock = JSON.parse(readFileSync(lockFile(), 'utf8')) as object
    writeFileSync(lockFile(), JSON.stringify({ ...lock, startTicks: '1' }))
    expect(StateDirectory.readLock(path)).toBeUndefined()
    StateDirectory.lock(path).unlock()
    held.unlock()
  })

  it.each(['', 'garbage', '{"pid":-1}', 'null'])('takes over an unreadable lock: %j', (text) => {
    StateDirectory.lock(path).unlock()
    writeFileSync(lockFile(), text)
    expect(StateDirectory.readLock(path)).toBeUndefined()
    StateDirectory.lock(path).unlock()
    expect(readdirSync(path)).toEqual([])
  })

  it('takes over although a process died while taking over', () => {
    StateDirectory.lock(path).unlock()
    const dead = { pid: 2 ** 22 - 1, startedAtMs: 1, startTicks: '5' }
    writeFileSync(lockFile(), JSON.stringify(dead))
    writeFileSync(join(path, `lock.takeover.${dead.pid}.5.1`), JSON.stringify(dead))
    StateDirectory.lock(path).unlock()
    expect(readdirSync(path)).toEqual([])
  })

  it('lets exactly one of many processes take over a stale lock', async () => {
    StateDirectory.lock(path).unlock()
    const stale = JSON.stringify({ pid: 2 ** 22 - 1, startedAtMs: 1, startTicks: '5' })
    for (let round = 0; round < 3; round++) {
      writeFileSync(lockFile(), stale)
      // All are ready and try at the same word; nobody ends before everybody has tried.
      const body = `console.log('ready')
        process.stdin.once('data', () => {
          try { StateDirectory.lock(path); console.log('won') } catch (e) { console.log(e.code) }
          process.stdin.once('data', () => process.exit())
        })`
      const children = Array.from({ length: 6 }, () =>
        spawn(process.execPath, argumentsFor(body), { stdio: 'pipe' }),
      )
      const nextLines = () =>
        Promise.all(children.map(async ({ stdout }) => String((await once(stdout, 'data'))[0])))
      await nextLines()
      const answers = nextLines()
      for (const { stdin } of children) stdin.write('try')
      const outcomes = (await answers).map((line) => line.trim()).toSorted()
      const ended = children.map((child) => once(child, 'close'))
      for (const { stdin } of children) stdin.write('end')
      await Promise.all(ended)
      expect(outcomes).toEqual([...Array.from({ length: 5 }, () => 'STATE_LOCKED'), 'won'])
    }
  }, 30_000)

  it('notices that it was removed or taken over, and leaves what is not its own', () => {
    const held = StateDirectory.lock(path)
    held.setAddress('http://127.0.0.1:1')
    held.check()
    rmSync(path, { recursive: true })
    expect(() => held.check()).toThrow(StoreIoError)
    expect(() => held.check()).toThrow(/was removed, or replaced by another/)
    mkdirSync(path)
    const other = JSON.stringify({ pid: process.ppid, startedAtMs: 1 })
    writeFileSync(lockFile(), other)
    expect(() => held.check()).toThrow(StoreIoError)
    held.unlock()
    expect(readFileSync(lockFile(), 'utf8')).toBe(other)
    held.check() // not ours any more: nothing to notice
  })

  it('says that there is no space for it', ({ skip }) => {
    mkdirSync(path, { recursive: true })
    const options = ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', path]
    if (spawnSync('mount', options).status !== 0) skip('no tmpfs can be mounted here')
    try {
      writeFileSync(join(path, 'ballast'), Buffer.alloc(4096))
      expect(() => StateDirectory.lock(path)).toThrow(StoreFullError)
    } finally {
      spawnSync('umount', ['-l', path])
    }
  })
})
