/**
 * Goal: `millrace dev` runs, ends cleanly, continues with its state, and guards its directory.
 *
 * Method: the real command in child processes, on directories of its own, with real time.
 */

import { afterAll, describe, expect, it } from 'vitest'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { millrace, startMillrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

interface Summary {
  readonly orders: number
  readonly units: number
  readonly amountMinor: Readonly<Record<string, number>>
  readonly outcomes: Readonly<Record<string, number>>
  readonly open: number
  readonly invariants: { readonly checked: number; readonly violations: readonly unknown[] }
  readonly placed: number
  readonly starts: number
}

const sum = (named: Readonly<Record<string, number>>): number =>
  Object.values(named).reduce((total, value) => total + value, 0)

const dev = (stateDir: string, ...more: readonly string[]): readonly string[] => [
  'dev',
  '--port',
  '0',
  '--state-dir',
  stateDir,
  '--rate',
  '40',
  '--transfer-deadline',
  '1s',
  ...more,
]

describe('dev', () => {
  it('ends by itself with one JSON summary, and continues with its state', async () => {
    const stateDir = join(folder.path, 'continued')
    const first = await millrace(dev(stateDir, '--for', '3s', '-o', 'json'))
    expect(first.exitCode, first.stderr).toBe(0)
    const before = JSON.parse(first.stdout) as Summary
    expect(before.orders).toBeGreaterThan(50)
    expect(before).toMatchObject({ orders: before.placed, open: 0, starts: 1 })
    expect(before.units).toBeGreaterThanOrEqual(before.orders)
    expect(before.amountMinor['USD']).toBeGreaterThan(0)
    expect(sum(before.outcomes)).toBe(before.orders)
    expect(before.invariants.violations).toEqual([])
    expect(before.invariants.checked).toBeGreaterThan(before.orders)
    expect(first.stderr).toMatch(/order \S+ shipped by \w+/)

    // who only reads opens the broker too, but starts nothing
    const [, id] = /order (\S+) shipped/.exec(first.stderr)!
    const read = await millrace(['order', 'show', id!, '--state-dir', stateDir])
    expect(read.exitCode, read.stderr).toBe(0)
    expect(read.stdout).toMatch(/rebuilt +from \d+ events: the same as stored/)

    const second = await millrace(dev(stateDir, '--for', '1s', '-o', 'json'))
    expect(second.exitCode, second.stderr).toBe(0)
    const after = JSON.parse(second.stdout) as Summary
    expect(after.starts).toBe(2)
    expect(after.orders).toBe(before.orders + after.placed)
    expect(sum(after.outcomes)).toBe(after.orders)
    expect(after.invariants.violations).toEqual([])
  }, 60_000)

  it('drains and sums up on SIGINT; a second process is refused meanwhile', async () => {
    const stateDir = join(folder.path, 'interrupted')
    const running = startMillrace(dev(stateDir))
    await running.waitFor(/order \S+ shipped/)
    const other = await millrace(dev(stateDir, '--for', '1s'))
    expect(other.exitCode).toBe(4)
    expect(other.stderr).toContain('STATE_LOCKED')
    expect(other.stderr).toContain(`process ${running.process.pid}`)
    running.process.kill('SIGINT')
    // npm and the terminal both send it: twice at once is once
    running.process.kill('SIGINT')
    const { exitCode, stdout } = await running.ended
    expect(stdout).toMatch(/^outcomes +\d+ completed/m)
    expect(stdout).toMatch(/^invariants +\d+ rows checked, 0 violations$/m)
    expect(exitCode).toBe(0)
  }, 60_000)

  it('ends at once with 130 on a second Ctrl-C', async () => {
    const stateDir = join(folder.path, 'twice')
    const running = startMillrace(
      dev(stateDir, '--transfer-deadline', '60s', '--drain', '60s', '--rate', '200'),
    )
    await running.waitFor(/order \S+ shipped/)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    running.process.kill('SIGINT')
    await new Promise((resolve) => setTimeout(resolve, 800))
    running.process.kill('SIGINT')
    expect((await running.ended).exitCode).toBe(130)
  }, 60_000)

  it('names the flag when the port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { readonly port: number }
    const stateDir = join(folder.path, 'port')
    const args = ['dev', '--for', '1s', '--state-dir', stateDir, '--port', String(port)]
    const { exitCode, stderr } = await millrace(args)
    server.close()
    expect(stderr).toContain(`port ${port} is in use; choose another with --port`)
    expect(exitCode).toBe(1)
  }, 30_000)
})
