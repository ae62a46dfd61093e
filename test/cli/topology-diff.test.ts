/**
 * Goal: `millrace topology diff` tells before a deploy what a start would say.
 *
 * Method: the real command on modules, on JSON that the command itself wrote, and on a state
 * directory that an application of this process left on a real database.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { WriteBatch } from '../../state/write-batch.ts'
import { CommandError } from '../../src/cli/failure.ts'
import { openEmbeddedBroker } from '../../src/cli/open-broker.ts'
import { openEngine } from '../../src/cli/open-engine.ts'
import { divideMemory } from '../../state/memory-budget.ts'
import { diffTopologies } from '../../src/cli/topology-diff.ts'
import { resolveSettings } from '../../src/config/settings.ts'
import { UsageError } from '../../src/config/usage-error.ts'
import { Application, type PlanJson } from '../../src/index.ts'
import { putFacts, readFacts, type StateFacts } from '../../src/runtime/state-facts.ts'
import type { TopologyDifference } from '../../src/topology/topology-difference.ts'
import { purchases, spendingInCents, spent } from '../../docs/examples/spending.ts'
import { type Ended, millrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

const root = join(import.meta.dirname, '..', '..')
const first = join(root, 'docs', 'examples', 'spending.ts')
const second = join(root, 'docs', 'examples', 'spending-by-currency.ts')

const diff = (...args: readonly string[]): Promise<Ended> =>
  millrace(['topology', 'diff', ...args], { cwd: root })

interface Found extends Ended {
  readonly verdict: string
  readonly differences: readonly TopologyDifference[]
}

const found = async (...args: readonly string[]): Promise<Found> => {
  const ended = await diff(...args, '-o', 'json')
  return { ...ended, ...(JSON.parse(ended.stdout) as Pick<Found, 'verdict' | 'differences'>) }
}

/** A module that is the first example with something replaced, beside it as far as imports go. */
const edited = (name: string, from: string | RegExp, to: string): string => {
  const path = join(folder.path, `${name}.ts`)
  const text = readFileSync(first, 'utf8')
  const changed = text.replace(from, to)
  expect(changed).not.toBe(text)
  writeFileSync(path, changed.replace('../../src', join(root, 'src')))
  return path
}

/** As if the topology had had one more store. */
const withStore = (plan: PlanJson, name: string): PlanJson => ({
  ...plan,
  subTopologies: plan.subTopologies.map((sub) => ({
    ...sub,
    stores: [...sub.stores.slice(0, 1).map((store) => ({ ...store, name })), ...sub.stores],
  })),
})

describe('millrace topology diff', { timeout: 120_000 }, () => {
  it('finds nothing between a topology and its own description', async () => {
    const { stdout } = await millrace(['topology', 'describe', first, '-o', 'json'])
    const file = join(folder.path, 'first.json')
    writeFileSync(file, stdout)
    expect(await diff(file, first)).toMatchObject({ exitCode: 0, stdout: 'no differences\n' })
    expect(await found('shop', 'shop')).toMatchObject({ verdict: 'same', differences: [] })
  })

  it('is at ease with a migration', async () => {
    const { exitCode, verdict, differences } = await found(first, second)
    expect({ exitCode, verdict }).toEqual({ exitCode: 0, verdict: 'safe' })
    expect(differences).toEqual([
      {
        what: 'store',
        name: 'spending',
        was: 'table/1 key=utf8 value=json',
        is: 'table/1 key=utf8 value=json version=2',
        consequence: 'safe',
        effect: 'its rows are migrated from version 1 before it is used',
        advice: '',
      },
    ])
    expect(await found(second, first)).toMatchObject({ exitCode: 4, verdict: 'forbidden' })
  })

  it('asks about a store that was renamed, the worst first', async () => {
    const renamed = edited('renamed', "tableStore('spending'", "tableStore('spendings'")
    const { exitCode, stdout } = await diff(first, renamed)
    expect(exitCode).toBe(3)
    const [head, worst, rest] = stdout.split('\n')
    expect(head).toMatch(/^what +name +was +is +consequence +what to do$/)
    expect(worst).toMatch(
      /^store +spending +table\/1 .* - +loses state: .*renamed to spendings\? keep the name/,
    )
    expect(rest).toMatch(/^store +spendings +- +table\/1 .* safe: it begins empty +-$/)
  })

  it('forbids another serde', async () => {
    const serde = /json<number>\(\) \}\)\n\nexport const spendingIn/
    const other = edited(
      'other',
      serde,
      "{ ...json<number>(), format: 'cents' } })\n\nexport const spendingIn",
    )
    expect(await found(first, other)).toMatchObject({
      exitCode: 4,
      differences: [{ is: 'table/1 key=utf8 value=cents', consequence: 'forbidden' }],
    })
  })

  it('compares with what a state directory was made by', async () => {
    const stateDir = join(folder.path, 'state')
    const settings = { stateDir, stateMemoryBytes: 64 << 20, fsync: false }
    mkdirSync(stateDir)
    {
      await using parts = new AsyncDisposableStack()
      const broker = await openEmbeddedBroker(settings, parts)
      await broker.topics.create(
        [purchases, spent].map(({ name }) => ({
          name,
          partitions: 2,
          config: { cleanupPolicy: 'delete', retentionMs: -1 },
        })),
      )
      const engine = await openEngine(
        settings,
        'state',
        divideMemory(64 << 20, { hasBroker: true }),
      )
      parts.defer(() => engine.close())
      const topology = spendingInCents
      const application = new Application({ applicationId: 'app', topology, broker, engine })
      await application.start()
      await application.close()
    }
    const onState = ['--state-dir', stateDir]
    expect(await diff(...onState, first)).toMatchObject({ exitCode: 0, stdout: 'no differences\n' })
    expect(await found(...onState, second)).toMatchObject({ exitCode: 0, verdict: 'safe' })
    const without = edited('without', /\n {4}aggregate\([^]*?\n {4}\),/, '')
    expect(await found(...onState, without)).toMatchObject({
      exitCode: 3,
      differences: [{ name: 'spending', consequence: 'losesState' }],
    })
  })

  it('is what a start says, unless the loss is accepted', async () => {
    const stateDir = join(folder.path, 'shop')
    const dev = (...more: readonly string[]): Promise<Ended> =>
      millrace([
        'dev',
        '--no-load',
        '--for',
        '100ms',
        '--port',
        '0',
        '--state-dir',
        stateDir,
        ...more,
      ])
    expect((await dev()).exitCode).toBe(0)
    const engine = await openEngine(
      { stateDir, fsync: false },
      'state',
      divideMemory(64 << 20, { hasBroker: true }),
    )
    const facts = readFacts(engine) as StateFacts
    const batch = new WriteBatch()
    putFacts(batch, { ...facts, topology: withStore(facts.topology, 'stale') })
    await engine.commit(batch)
    await engine.close()
    const refused = await dev()
    expect(refused.exitCode).toBe(4)
    expect(refused.stderr).toContain('STREAMS_STATE_MISMATCH: store stale is gone')
    expect((await dev('--accept-topology-change')).exitCode).toBe(0)
    expect((await dev()).exitCode).toBe(0)
  })

  it('ends as a wrong call', async () => {
    const ended = await diff('shop')
    expect({ exitCode: ended.exitCode, stdout: ended.stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(ended.stderr).toContain('topology diff takes two topologies')
  })

  it.each([
    ['shop shp', UsageError, "unknown topology 'shp'; the nearest known one is 'shop'"],
    ['shop none.json', CommandError, 'cannot read none.json'],
    ['shop package.json', CommandError, 'package.json is no topology'],
    ['shop none.ts', CommandError, 'cannot load none.ts'],
    ['shop src/clock.ts', CommandError, 'src/clock.ts exports no topology'],
    [`shop ${first}#other`, CommandError, 'exports spendingInCents: name one as'],
    ['shop shop shop', UsageError, 'takes two topologies'],
  ])('refuses %s', async (words, kind, message) => {
    const settings = resolveSettings({ flags: {}, env: {} })
    const refused = diffTopologies({ settings, sources: words.split(' '), isOnState: false })
    await expect(refused).rejects.toThrow(message)
    await expect(refused).rejects.toBeInstanceOf(kind)
  })

  it('refuses a state that is not there, or two topologies beside one', async () => {
    const settings = resolveSettings({ flags: { stateDir: join(folder.path, 'none') }, env: {} })
    const refused = diffTopologies({ settings, sources: ['shop'], isOnState: true })
    await expect(refused).rejects.toThrow('there is no state in')
    const tooMany = diffTopologies({ settings, sources: ['shop', 'shop'], isOnState: true })
    await expect(tooMany).rejects.toThrow('takes one topology')
  })
})
