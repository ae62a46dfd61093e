/**
 * Goal: a broker that lost acknowledged orders is refused, and both ways out work.
 *
 * Method: a load is killed, then files of its state directory are cut or taken away. The same load
 * again must never meet stores that know of orders which the topics do not.
 */

import { cpSync, existsSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realOrders } from './real-orders.ts'
import { millrace, startMillrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
const killed = join(folder.path, 'killed')
/** What the first test makes of it: the whole load. */
const later = join(folder.path, 'later')
afterAll(() => folder.remove())

const orders = realOrders(folder.path, 1_500)

/** With little memory, so that logs go to tables early. */
const load = (stateDir: string): readonly string[] =>
  ['load', orders.path, '--format', 'cdnow', '--exit', '-o', 'json', '--port', '0'].concat([
    '--state-dir',
    stateDir,
    '--state-memory',
    '48MiB',
    '--log-level',
    'warn',
  ])

/** A copy of what the killed load left, or of another directory. */
const copyOf = (name: string, from = killed): string => {
  const path = join(folder.path, name)
  rmSync(path, { recursive: true, force: true })
  cpSync(from, path, { recursive: true })
  return path
}

const logsOf = (directory: string): readonly string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .toSorted()
    .map((name) => join(directory, name))

const refused = async (stateDir: string): Promise<string> => {
  const { exitCode, stderr, stdout } = await millrace(load(stateDir))
  expect({ exitCode, stdout }, stderr).toEqual({ exitCode: 4, stdout: '' })
  return stderr
}

const finished = async (stateDir: string): Promise<string> => {
  const { exitCode, stdout, stderr } = await millrace(load(stateDir))
  expect(exitCode, stderr).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject(orders.summary)
  return stderr
}

describe('a state directory whose broker lost its tail', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    const { process: child, ended } = startMillrace(load(killed))
    // in the middle, and after some of the log went from the write-ahead log to tables
    while (tablesOf(join(killed, 'broker')) < 2) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    child.kill('SIGKILL')
    await ended
  }, 60_000)

  it('nothing cut: goes on, no store is wiped', async () => {
    rmSync(later, { recursive: true, force: true })
    cpSync(killed, later, { recursive: true })
    expect(await finished(later)).not.toContain('wiped')
  })

  it('the log removed: refused; without the stores it goes on from what is left', async () => {
    const stateDir = copyOf('removed')
    for (const log of logsOf(join(stateDir, 'broker'))) rmSync(log)
    const message = await refused(stateDir)
    expect(message).toMatch(
      /STATE_LOST: .*removed\/broker lost data that was acknowledged: it ends/,
    )
    expect(message).toMatch(
      /restore .* as a whole from a backup; or accept the loss: delete .*state/,
    )
    const look = await millrace(['order', 'show', 'x', '--state-dir', stateDir])
    expect(look.stderr).toContain('STATE_LOST')
    expect(await refused(stateDir)).toBe(message)
    rmSync(join(stateDir, 'state'), { recursive: true })
    expect(await finished(stateDir)).toContain('accepted, since there are no stores')
  })

  it.each(['taken away', 'of the copy'])(
    'an older broker, its witness %s: refused; without the stores it goes on',
    async (witness) => {
      const stateDir = copyOf(`older-${witness.replaceAll(' ', '-')}`, later)
      rmSync(join(stateDir, 'broker'), { recursive: true })
      cpSync(join(killed, 'broker'), join(stateDir, 'broker'), { recursive: true })
      const file = join(stateDir, 'broker-commits')
      if (witness === 'taken away') rmSync(file)
      else cpSync(join(killed, 'broker-commits'), file)
      expect(await refused(stateDir)).toContain('STATE_LOST')
      expect(await refused(stateDir)).toContain('STATE_LOST')
      rmSync(join(stateDir, 'state'), { recursive: true })
      await finished(stateDir)
    },
  )

  it('each log cut in its first batch: refused; without the stores it goes on', async () => {
    const stateDir = copyOf('cut')
    // further on, a cut may lose only what was not acknowledged yet when the load was killed
    for (const log of logsOf(join(stateDir, 'broker'))) {
      truncateSync(log, Math.min(statSync(log).size, 100))
    }
    expect(await refused(stateDir)).toContain('STATE_LOST')
    rmSync(join(stateDir, 'state'), { recursive: true })
    await finished(stateDir)
  })

  it.each([true, false])(
    'the broker gone, witness kept: %s; refused, not emptied',
    async (kept) => {
      const stateDir = copyOf(`gone-${kept}`)
      rmSync(join(stateDir, 'broker'), { recursive: true })
      if (!kept) rmSync(join(stateDir, 'broker-commits'))
      const message = await refused(stateDir)
      expect(message).toMatch(/STATE_LOST: .*restore .* or start anew with another --state-dir/)
      expect(message).not.toContain('delete')
      expect(existsSync(join(stateDir, 'broker'))).toBe(false)
      expect(existsSync(join(stateDir, 'state', 'CURRENT'))).toBe(true)
    },
  )

  it('the log of the stores cut: they catch up from the changelogs', async () => {
    const stateDir = copyOf('stores')
    for (const log of logsOf(join(stateDir, 'state'))) rmSync(log)
    await finished(stateDir)
  })
})

/** Files of a table may be there before the database knows of it: not so the first of two. */
const tablesOf = (directory: string): number =>
  existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.sst')).length : 0
