/**
 * Goal: a command whose disk is full, read-only or gone ends by itself, with one clear message.
 *
 * Method: the real command on a small tmpfs. Where none can be mounted (not root, not Linux) these
 * tests are skipped; `test/broker/embedded-full-disk.test.ts` and `test/runtime/full-disk.test.ts`
 * cover the same on a disk in memory.
 */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, it, type TestContext } from 'vitest'
import { realOrders } from './real-orders.ts'
import { type Ended, millrace, startMillrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
const mounts: string[] = []

const orders = realOrders(folder.path, 3_000)

const mount = (skip: TestContext['skip'], options: string): string => {
  const path = mkdtempSync(join(folder.path, 'disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path])
  if (status !== 0) skip('no tmpfs can be mounted here')
  mounts.push(path)
  return path
}

const remount = (path: string, options: string): void => {
  expect(spawnSync('mount', ['-o', `remount,${options}`, path]).status).toBe(0)
}

afterEach(() => {
  for (const path of mounts.splice(0)) {
    spawnSync('umount', ['-l', path])
    rmSync(path, { recursive: true, force: true })
  }
})
afterAll(() => folder.remove())

const load = (stateDir: string): readonly string[] =>
  ['load', orders.path, '--format', 'cdnow', '--exit', '-o', 'json', '--port', '0'].concat([
    '--state-dir',
    stateDir,
  ])

const dev = (stateDir: string): readonly string[] => [
  'dev',
  '--rate',
  '1000',
  '--port',
  '0',
  '--state-dir',
  stateDir,
]

const freeBytes = (path: string): number => {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

/** One line, with the code, the directory and what to do. */
const expectFull = ({ exitCode, stderr }: Ended, directory: string): void => {
  const told = stderr.split('\n').filter((line) => line.startsWith('millrace: STATE_'))
  expect(told, stderr).toHaveLength(1)
  expect(told[0]).toMatch(/^millrace: STATE_FULL: no space left .* free some space and start again/)
  expect(told[0]).toContain(directory)
  expect(stderr).not.toContain('SuppressedError')
  expect(exitCode).toBe(1)
}

describe('a full disk', { timeout: 120_000 }, () => {
  it('ends load; with space it goes on, and nothing is lost', async ({ skip }) => {
    const disk = mount(skip, 'size=20m')
    const stateDir = join(disk, 'state')
    expectFull(await millrace(load(stateDir)), join(stateDir, 'broker'))
    remount(disk, 'size=600m')
    const { exitCode, stdout, stderr } = await millrace(load(stateDir))
    expect(exitCode, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject(orders.summary)
  })

  it('ends dev; a signal before that ends it too', async ({ skip }) => {
    const disk = mount(skip, 'size=20m')
    const stateDir = join(disk, 'state')
    const { process: child, ended } = startMillrace(dev(stateDir))
    // nearly: what the open orders still need does not fit
    while (freeBytes(disk) > 500_000 && child.exitCode === null) await sleep(10)
    child.kill('SIGTERM')
    expectFull(await ended, stateDir)
  })

  it('ends what has full stores beside a broker with space', async ({ skip }) => {
    const disk = mount(skip, 'size=5m')
    const stateDir = join(folder.path, 'full-stores')
    mkdirSync(stateDir)
    symlinkSync(disk, join(stateDir, 'state'))
    expectFull(await millrace(load(stateDir)), join(stateDir, 'state'))
    remount(disk, 'size=300m')
    const { exitCode, stdout, stderr } = await millrace(load(stateDir))
    expect(exitCode, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject(orders.summary)
  })
})

describe('a disk that cannot be used', { timeout: 60_000 }, () => {
  it('a read-only one is named', async ({ skip }) => {
    const disk = mount(skip, 'size=20m,ro')
    const { exitCode, stderr } = await millrace(dev(join(disk, 'state')))
    expect(stderr).toMatch(/\nmillrace: STATE_IO: .*disk-\w+\/state: .*read-only/)
    expect(exitCode).toBe(1)
  })

  it('a state directory that is removed ends dev', async () => {
    const stateDir = join(folder.path, 'removed')
    const { waitFor, ended } = startMillrace(dev(stateDir))
    await waitFor(/shipped by/)
    rmSync(stateDir, { recursive: true, force: true })
    const { exitCode, stderr } = await ended
    expect(stderr).toMatch(/\nmillrace: STATE_[A-Z]+: .*removed/)
    expect(stderr).not.toContain('SuppressedError')
    expect(exitCode).toBe(1)
  })
})
