/**
 * Goal: the shop runs wholly on LMDB, is never put on it silently, and no engine opens the files
 * of another.
 *
 * Method: the real command in child processes; one is killed with kill -9 in the middle of its
 * work; where RocksDB "has no binary", a preloaded script makes its loading fail.
 */

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { engineOf } from '../../state/made-by.ts'
import { realOrders } from './real-orders.ts'
import { millrace, startMillrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

const orders = realOrders(folder.path, 2_000)
const withoutRocks = {
  env: { NODE_OPTIONS: `--require=${join(import.meta.dirname, 'no-rocksdb.cjs')}` },
}
/** Of the broker's log: a third of what the whole load makes. */
const midwayBytes = 12 * 1024 * 1024
const placeOf = (name: string): string => join(folder.path, name)

const dev = (stateDir: string, ...more: readonly string[]): readonly string[] =>
  ['dev', '--port', '0', '--rate', '40', '--for', '2s', '-o', 'json'].concat([
    '--transfer-deadline',
    '1s',
    '--state-dir',
    stateDir,
    ...more,
  ])

const load = (stateDir: string, ...more: readonly string[]): readonly string[] =>
  ['load', orders.path, '--format', 'cdnow', '--exit', '-o', 'json', '--port', '0'].concat([
    '--state-dir',
    stateDir,
    ...more,
  ])

const enginesIn = (stateDir: string): readonly unknown[] =>
  ['state', 'broker'].map((name) => engineOf(join(stateDir, name)))

describe('the shop on lmdb', { timeout: 180_000 }, () => {
  it('ships orders, keeps its state, and is read by commands that name no engine', async () => {
    const stateDir = placeOf('shop')
    const first = await millrace(dev(stateDir, '--state-engine', 'lmdb'))
    expect(first.exitCode, first.stderr).toBe(0)
    expect(enginesIn(stateDir)).toEqual(['lmdb', 'lmdb'])
    const before = JSON.parse(first.stdout)
    expect(before.orders).toBeGreaterThan(20)
    expect(before).toMatchObject({ open: 0, invariants: { violations: [] } })
    const [, id] = /order (\S+) shipped/.exec(first.stderr)!

    const read = await millrace(['order', 'show', id!, '--state-dir', stateDir])
    expect(read.exitCode, read.stderr).toBe(0)
    expect(read.stdout).toContain('SHIPPED')
    expect(read.stderr).toContain(`the state in ${stateDir} was made by lmdb, which is used`)

    const second = await millrace(dev(stateDir))
    expect(second.exitCode, second.stderr).toBe(0)
    const after = JSON.parse(second.stdout)
    expect(after).toMatchObject({ starts: 2, open: 0, invariants: { violations: [] } })
    expect(after.orders).toBe(before.orders + after.placed)
  })

  it('loses and doubles nothing by kill -9', async () => {
    const stateDir = placeOf('killed')
    const { process: child, ended } = startMillrace(load(stateDir, '--state-engine', 'lmdb'))
    const log = join(stateDir, 'broker', 'data.mdb')
    while (!existsSync(log) || statSync(log).size < midwayBytes) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    child.kill('SIGKILL')
    expect(await ended).toMatchObject({ signal: 'SIGKILL', stdout: '' }) // in the middle
    const { exitCode, stdout, stderr } = await millrace(load(stateDir))
    expect(exitCode, stderr).toBe(0)
    expect(stderr).not.toContain('wiped')
    expect(JSON.parse(stdout)).toMatchObject(orders.summary)
  })
})

describe('where RocksDB has no binary', { timeout: 180_000 }, () => {
  it('lmdb is used, which is said in one line', async () => {
    const stateDir = placeOf('fallback')
    const { exitCode, stdout, stderr } = await millrace(dev(stateDir), withoutRocks)
    expect(exitCode, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ open: 0, invariants: { violations: [] } })
    const lines = stderr.split('\n').filter((line) => line.includes('lmdb'))
    expect(lines).toEqual([
      `millrace: using lmdb for the state in ${stateDir}. RocksDB cannot be loaded on `
        + `${process.platform}-${process.arch} (No native build was found): its binaries are for `
        + 'linux-x64 (glibc 2.34 or later, AVX2) and darwin-arm64',
    ])
    expect(enginesIn(stateDir)).toEqual(['lmdb', 'lmdb'])
  })

  it('a directory made by rocksdb is refused, and lmdb asked for is not said', async () => {
    const stateDir = placeOf('rocks')
    expect((await millrace(dev(stateDir, '--state-engine', 'rocksdb'))).exitCode).toBe(0)
    const other = await millrace(dev(stateDir, '--state-engine', 'lmdb'))
    expect(other.exitCode, other.stderr).toBe(4)
    expect(other.stderr).toMatch(
      /STATE_MISMATCH: the database in .*broker was made by rocksdb and cannot be opened with lmdb/,
    )
    expect(other.stderr).toContain('start with --state-engine rocksdb, or choose another directory')
    expect(other.stderr).not.toContain('using lmdb')

    const fallen = await millrace(dev(stateDir), withoutRocks)
    expect(fallen.exitCode, fallen.stderr).toBe(4)
    expect(fallen.stderr).toMatch(/was made by rocksdb\. RocksDB cannot be loaded on .*--state-dir/)
    expect(enginesIn(stateDir)).toEqual(['rocksdb', 'rocksdb'])
  })
})
