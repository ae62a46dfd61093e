/**
 * Goal: no shop is left behind, whatever becomes of the processes that started it.
 *
 * Method: the real `npm start` and its parts, ended by a signal or killed; the shop's own process
 * is known by the lock of its state directory.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { temporaryDirectory } from './run-millrace.ts'

const root = join(import.meta.dirname, '..', '..')
const folder = temporaryDirectory()
afterAll(() => folder.remove())

interface Shop {
  readonly parent: ChildProcess
  readonly pid: number
  readonly stateDir: string
  said(): string
}

/** Resolves when the shop runs. */
const start = async (name: string, command: string, ...args: string[]): Promise<Shop> => {
  const stateDir = join(folder.path, name)
  const said = join(folder.path, `${name}.txt`)
  const output = openSync(said, 'w')
  const more = ['--port', '0', '--rate', '5', '--transfer-deadline', '1s', '--state-dir', stateDir]
  const parent = spawn(command, [...args, ...more], {
    cwd: root,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const lock = join(stateDir, 'lock.json')
  for (;;) {
    if (parent.exitCode !== null) throw new Error(readFileSync(said, 'utf8'))
    if (existsSync(lock)) {
      const { pid, address } = JSON.parse(readFileSync(lock, 'utf8')) as {
        readonly pid: number
        readonly address?: string
      }
      if (address !== undefined) {
        return { parent, pid, stateDir, said: () => readFileSync(said, 'utf8') }
      }
    }
    await sleep(50)
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const expectCleanEnd = async ({ pid, stateDir, said }: Shop): Promise<void> => {
  while (isAlive(pid)) await sleep(50)
  expect(said()).toContain('stopping')
  expect(said()).toMatch(/^invariants +\d+ rows checked, 0 violations$/m)
  expect(existsSync(join(stateDir, 'lock.json'))).toBe(false)
}

describe('the shop ends with what started it', { timeout: 60_000 }, () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)('npm start, %s to npm', async (signal) => {
    const shop = await start(`npm-${signal}`, 'npm', 'start', '--')
    shop.parent.kill(signal)
    await expectCleanEnd(shop)
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)('scripts/run.mjs, %s', async (signal) => {
    const run = ['scripts/run.mjs', 'start']
    const shop = await start(`run-${signal}`, process.execPath, ...run)
    expect(shop.pid).not.toBe(shop.parent.pid)
    shop.parent.kill(signal)
    await expectCleanEnd(shop)
  })

  it('bin/millrace, which is the shop itself', async () => {
    const shop = await start('bin', join(root, 'bin', 'millrace'), 'dev')
    expect(shop.pid).toBe(shop.parent.pid)
    const ended = once(shop.parent, 'exit')
    shop.parent.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    await expectCleanEnd(shop)
  })
})
