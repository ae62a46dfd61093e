/**
 * Goal: data that could not be written is a failure that is told; a reader that left is none.
 *
 * Method: the real command through a shell, into /dev/full and into a pipe that is read in part.
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { millrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')
const node = `'${process.execPath}' --disable-warning=ExperimentalWarning '${main}'`

const shell = (command: string) =>
  spawnSync('bash', ['-c', command], { encoding: 'utf8', cwd: folder.path })

const stateOf = (name: string): string => join(folder.path, name)

describe.skipIf(!existsSync('/dev/full'))('a full disk under stdout', { timeout: 60_000 }, () => {
  it.each(['topology graph', '--help', 'dev --help'])('%s says so, and fails', (args) => {
    const { status, stderr } = shell(`${node} ${args} > /dev/full`)
    expect(stderr).toMatch(/^millrace: cannot write to stdout: .*ENOSPC.*\n$/)
    expect(status).toBe(1)
  })

  it('dev closes cleanly, says so, and fails; so does query of what it left', async () => {
    const stateDir = stateOf('full')
    const dev = shell(
      `${node} dev --for 2s --port 0 --rate 5 -o json --state-dir ${stateDir} > /dev/full`,
    )
    expect(dev.stderr).toMatch(/\nmillrace: cannot write to stdout: .*ENOSPC.*\n$/)
    expect(dev.status).toBe(1)
    expect(existsSync(join(stateDir, 'lock.json'))).toBe(false)
    const query = ['query', 'order-totals', 'range', '--state-dir', stateDir, '-o', 'json']
    const lost = shell(`${node} ${query.join(' ')} > /dev/full`)
    expect([lost.status, lost.stderr]).toEqual([1, expect.stringContaining('ENOSPC')])
    expect((await millrace(query)).exitCode).toBe(0)
  })

  it('dev stops by itself when its lines cannot be written', () => {
    const stateDir = stateOf('lines')
    const { status, stderr } = shell(
      `${node} dev --no-load --port 0 --state-dir ${stateDir} > /dev/full`,
    )
    expect(stderr).toMatch(/waiting for open orders\n.*cannot write to stdout: .*ENOSPC.*\n$/)
    expect(status).toBe(1)
    expect(existsSync(join(stateDir, 'lock.json'))).toBe(false)
  })
})

describe('a reader that leaves', { timeout: 60_000 }, () => {
  it('stops dev, which drains and closes', () => {
    const stateDir = stateOf('head')
    const { stdout, stderr } = shell(
      `${node} dev --port 0 --rate 20 --state-dir ${stateDir} | head -3; echo \${PIPESTATUS[0]}`,
    )
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('0')
    expect(stderr).toContain('waiting for open orders')
    expect(stderr).not.toContain('cannot write')
    expect(existsSync(join(stateDir, 'lock.json'))).toBe(false)
  })

  it('is no failure of a command that only prints', () => {
    const { stdout, stderr } = shell(`${node} topology graph | true; echo \${PIPESTATUS[0]}`)
    expect([stdout, stderr]).toEqual(['0\n', ''])
  })
})
