/**
 * Goal: rows of an older version of a store become rows of the new one exactly once, whatever dies
 * meanwhile, and nothing is ever read as what it is not.
 *
 * Method: sums are made by version 1; version 2 holds them in other units under another serde. A
 * row that was migrated twice, or not at all, has a wrong sum. Instances are killed after any
 * number of turns, and begin again on the same disk, on none, or with a still newer version.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { namespacePrefix } from '../../state/key-layout.ts'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import {
  aggregate,
  type Application,
  json,
  type KeyValueStore,
  keyValueStore,
  type Serde,
  stream,
  type StoreVersion,
  to,
  type Topology,
  topology,
  utf8,
} from '../../src/index.ts'
import { macrotask } from '../../src/runtime/sleep.ts'
import { refuseOtherVersions } from '../../src/task/store-migration.ts'
import { copyOf } from './copy-of.ts'
import { Site } from './fixture.ts'
import { type Instance, type InstanceOptions, isIdle } from './instance.ts'
import { refusal } from './refusal.ts'
import { entries, summing, sums, sumStore } from './summing.ts'

const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`)

/** As JSON, but other bytes: to read one as the other fails. */
const tagged: Serde<number> = {
  format: 'tagged',
  encode: (value) => Buffer.from(`#${value}`),
  decode: (bytes) => {
    const text = Buffer.from(bytes).toString()
    if (!text.startsWith('#')) throw new TypeError(`${text} is not tagged`)
    return Number(text.slice(1))
  },
}

const storeOf = (version: StoreVersion<number>): KeyValueStore<string, number> =>
  keyValueStore('sum', { key: utf8, value: tagged, ...version })

/** Cents from euros; from version 2 on they are cents. */
const toCents = (bytes: Uint8Array, from: number): number =>
  from === 1 ? 100 * json<number>().decode(bytes) : tagged.decode(bytes)

const inCents = storeOf({ version: 2, migrate: toCents })

const summingIn = (store: KeyValueStore<string, number>): Topology =>
  topology('summing', () => [
    stream(entries).pipe(
      aggregate(
        store,
        () => 0,
        (sum, value) => sum + value,
      ),
      to(sums),
    ),
  ])

/** Little at a time, so that a migration takes many transactions. */
const config = { commitRecordsMax: 7 }

const end = async (site: Site, options: InstanceOptions): Promise<MemoryDisk> => {
  const { application, disk, kill } = await site.start({ config, ...options })
  await site.idle()
  await site.settled(application.close())
  kill()
  return disk
}

/** One euro for every key, summed by version 1. */
const made = async (): Promise<{ readonly site: Site; readonly disk: MemoryDisk }> => {
  const site = await Site.open()
  await site.createTopics([entries, sums], 2)
  for (const key of keys) await site.send(entries, key, 1)
  return { site, disk: await end(site, { topology: summing }) }
}

/** All sums as a query tells them, after one more cent for each key. */
const expectCents = async (
  site: Site,
  options: Partial<InstanceOptions>,
  store = inCents,
): Promise<void> => {
  for (const key of keys) await site.send(entries, key, 1)
  const { application, kill } = await site.start({ config, topology: summingIn(store), ...options })
  await site.idle()
  const rows = [...application.query(store).range()]
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(keys.map((key) => [key, 101])))
  expect(rows).toHaveLength(keys.length) // the row of versions is not one of them
  await site.settled(application.close())
  kill()
}

const answerOf = (application: Application): unknown => {
  try {
    return application.query(inCents).get('key-7')
  } catch (error) {
    expect((error as Error).message).toContain('is not open here')
    return 'not open'
  }
}

/** Runs on a database in a directory, whose work takes real time. @returns all sums at the end */
const sumsOnDisk = async (
  site: Site,
  directory: string,
  store: KeyValueStore<string, number>,
): Promise<readonly number[]> => {
  const engine = await RocksEngine.open(directory)
  const instance = site.launch({ config, topology: summingIn(store), engine })
  const { application, started, kill } = instance
  const settled = async (promise: Promise<void>): Promise<void> => {
    let isSettled = false
    const settling = promise.finally(() => (isSettled = true))
    while (!isSettled) await realTurn(site)
    await settling
  }
  await settled(started)
  for (let quiet = 0; quiet < 20; quiet = isIdle(instance) ? quiet + 1 : 0) await realTurn(site)
  const found = [...application.query(store).range()].map(([, sum]) => sum)
  await settled(application.close())
  kill()
  await engine.close()
  return found
}

/** As kill -9, at the n-th call of the instance to the broker. */
const dieAt = async (site: Site, { calls, kill }: Instance, callsMax: number): Promise<void> => {
  for (let step = 0; calls.length < callsMax && step < 5_000; step++) {
    await (step % 50 === 49 ? smallStep(site, step) : undefined)
  }
  kill()
}

/** An eighth of a turn: a migration is over within a few turns. */
const smallStep = async (site: Site, step: number): Promise<void> => {
  if (step % 8 === 0) site.clock.advanceBy(1)
  await macrotask()
}

const realTurn = async (site: Site): Promise<void> => {
  await site.turn(1, 1)
  await new Promise((resolve) => setTimeout(resolve, 1))
}

describe('a version that was raised', () => {
  test('migrates the rows first, once, and for every later disk', async () => {
    const { site, disk } = await made()
    await expectCents(site, { disk })
    for (const again of [disk, new MemoryDisk()]) {
      const { application, kill } = await site.start({ topology: summingIn(inCents), disk: again })
      expect(application.query(inCents).get('key-7')).toBe(101)
      await site.settled(application.close())
      kill()
    }
  })

  test('a store that begins at version 2 needs no migration', async () => {
    const site = await Site.open()
    await site.createTopics([entries, sums], 2)
    for (const key of keys) await site.send(entries, key, 100)
    const without = storeOf({ version: 2 })
    await end(site, { topology: summingIn(without) })
    await expectCents(site, {}, without)
  })

  test('queries wait for the rows', async () => {
    const { site, disk } = await made()
    const { application } = site.launch({ config, topology: summingIn(inCents), disk })
    const answers = new Set<unknown>()
    for (let step = 0; !answers.has(100); step++) {
      if (application.state === 'running') answers.add(answerOf(application))
      await smallStep(site, step)
    }
    expect([...answers]).toEqual(['not open', 100])
  })

  test('on a real database', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-migration-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const site = await Site.open()
    await site.createTopics([entries, sums], 2)
    for (const key of keys) await site.send(entries, key, 1)
    expect(await sumsOnDisk(site, directory, sumStore)).toEqual(keys.map(() => 1))
    for (const key of keys) await site.send(entries, key, 1)
    expect(await sumsOnDisk(site, directory, inCents)).toEqual(keys.map(() => 101))
    expect(await sumsOnDisk(site, directory, inCents)).toEqual(keys.map(() => 101))
  })
})

describe('a migration that is cut', () => {
  /** Kills an instance of version 2 at its n-th call to the broker. @returns how far it got */
  const cut = async (
    site: Site,
    disk: MemoryDisk,
    callsMax: number,
  ): Promise<'before' | 'in' | 'after'> => {
    const instance = site.launch({ config, topology: summingIn(inCents), disk })
    await dieAt(site, instance, callsMax)
    const versions = [...disk.rows].flatMap(([key, value]) =>
      key.includes('millrace: versions') ? [Buffer.from(value).toString()] : [],
    )
    if (versions.length === 0) return 'before'
    const isWhole = versions.every((text) => !text.includes('upTo')) && versions.length === 2
    return isWhole ? 'after' : 'in'
  }

  const counts = Array.from({ length: 32 }, (_, index) => 7 + index)

  test('goes on where it was, on the same disk and on an empty one', async () => {
    const seen = new Set<string>()
    for (const count of counts) {
      const { site, disk } = await made()
      seen.add(await cut(site, disk, count))
      await expectCents(site, count % 2 === 1 ? { disk } : {})
      await site.end()
    }
    expect(seen).toEqual(new Set(['before', 'in', 'after']))
  }, 60_000)

  test('a third version finishes what the second began', async () => {
    const store = storeOf({ version: 3, migrate: toCents })
    const seen = new Set<string>()
    for (const count of counts) {
      const { site, disk } = await made()
      seen.add(await cut(site, disk, count))
      await expectCents(site, { disk }, store)
      await site.end()
    }
    expect(seen).toContain('in')
  }, 60_000)

  test('is taken over by another instance', async () => {
    for (const count of counts.filter((_, index) => index % 4 === 0)) {
      const { site } = await made()
      const two = { config, topology: summingIn(inCents) }
      const heir = await site.start({ ...two, instanceId: 'heir' })
      const dying = site.launch({ ...two, instanceId: 'dying' })
      await dieAt(site, dying, count)
      await site.until(() => heir.application.metrics().tasks === 2)
      for (const key of keys) await site.send(entries, key, 1)
      await site.idle()
      const rows = [...heir.application.query(inCents).range()]
      expect(new Set(rows.map(([, sum]) => sum))).toEqual(new Set([101]))
      expect(rows).toHaveLength(keys.length)
      await site.end()
    }
  }, 60_000)

  test('a row that cannot be migrated stops it; mended code goes on', async () => {
    const { site, disk } = await made()
    const failing = storeOf({
      version: 2,
      migrate: (bytes, from) => {
        if (from === 1 && counter++ === 40) throw new Error('no such currency')
        return toCents(bytes, from)
      },
    })
    let counter = 0
    const { started, application, kill } = site.launch({
      config,
      topology: summingIn(failing),
      disk,
    })
    await site.settled(started)
    const error = await site.settled(application.stopped.catch((cause: unknown) => cause))
    expect(error).toMatchObject({
      code: 'STREAMS_STATE_MISMATCH',
      message: expect.stringMatching(
        /^store sum of task 0_[01]: .* of the row 6b65792d\w+ \(hex\) from version 1 failed: no/,
      ) as string,
    })
    kill()
    await expectCents(site, { disk })
  })
})

describe('refused', () => {
  const refused = (site: Site, options: InstanceOptions): Promise<string> =>
    refusal(site, options).then(({ message }) => message)

  test('a version raised without a migration, on the disk and on a lost one', async () => {
    const { site, disk } = await made()
    const topology = summingIn(storeOf({ version: 2 }))
    expect(await refused(site, { topology, disk })).toMatch(
      /^store sum was made as .* nothing says how rows of version 1 .* migrate function/,
    )
    expect(await refused(site, { topology })).toMatch(
      /^store sum of task 0_[01] has rows of version 1, and nothing migrates them to 2/,
    )
  })

  test('code of an older version, on the disk and on a lost one', async () => {
    const { site, disk } = await made()
    await expectCents(site, { disk })
    expect(await refused(site, { topology: summing, disk })).toMatch(
      /^store sum was made as ".*version=2" and is now .* newer than this code/,
    )
    expect(await refused(site, { topology: summing })).toMatch(
      /^store sum of task 0_[01] has rows of version 2, newer than 1: run the version/,
    )
  })

  test('readers from outside, until an application has migrated the rows', async () => {
    const { site, disk } = await made()
    const read = (store: KeyValueStore<string, number>): void => {
      const engine = MemoryEngine.create(copyOf(disk))
      refuseOtherVersions(store, engine, namespacePrefix('0_0', 'sum'))
    }
    read(sumStore)
    expect(() => read(inCents)).toThrow(/sum has rows of version 1, .* version 2: start the/)
    await expectCents(site, { disk })
    read(inCents)
    expect(() => read(sumStore)).toThrow(/sum has rows of version 2/)
    refuseOtherVersions(inCents, MemoryEngine.create(), namespacePrefix('0_0', 'sum'))
  })

  test('a version that is no count', () => {
    expect(() => storeOf({ version: 0 })).toThrow(RangeError)
    expect(() => storeOf({ version: 1.5 })).toThrow(/version is 1.5/)
    expect(sumStore.version).toBe(1)
  })
})
