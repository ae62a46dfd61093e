/**
 * Goal: a broker whose log went back never meets a store that knows more, unnoticed.
 *
 * Method: every write of the broker's disk is kept; the broker starts again from an earlier one, as
 * after a write-ahead log that was cut, and the application with the store of the end. What the
 * store holds then must be what the log says, at every point of the cut.
 */

import { expect, test } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { Prng } from '../../src/testing/prng.ts'
import { Site } from './fixture.ts'
import { entries, summing, sums, sumStore } from './summing.ts'

type Rows = ReadonlyMap<string, string>

/** Copies of the disk's rows, one before each write; the copy of row n has n writes in it. */
const recorded = (disk: MemoryDisk): Rows[] => {
  const copies: Rows[] = []
  disk.beforeCommit = () => {
    copies.push(new Map(disk.rows))
  }
  return copies
}

const diskOf = (rows: Rows): MemoryDisk => {
  const disk = new MemoryDisk()
  for (const [key, value] of rows) disk.write(key, value)
  return disk
}

const keys = ['a', 'b', 'c', 'd']

/** Two lives of a shop of sums; the second ends by a kill, perhaps within a transaction. */
const history = async (seed: number) => {
  const prng = new Prng(seed)
  const brokerDisk = new MemoryDisk()
  const disk = new MemoryDisk()
  const copies = recorded(brokerDisk)
  let firstCut = 0
  for (let life = 0; life < 2; life++) {
    const site = await Site.open({}, brokerDisk, 1_000_000 + life * 1_000_000)
    await site.createTopics([entries, { name: 'sums' }], 2)
    const { kill } = await site.start({ topology: summing, disk })
    if (life === 0) await site.idle()
    firstCut = copies.length // that the broker started is never cut off: see LogWitness
    const count = 5 + prng.int(20)
    for (let i = 0; i < count; i++) {
      await site.send(entries, keys[prng.int(keys.length)]!, 1 + prng.int(100))
      if (prng.int(3) === 0) await site.turn(1 + prng.int(6))
    }
    await site.turn(prng.int(12))
    kill()
    await site.end()
  }
  return { copies, firstCut, disk, prng }
}

const totals = (values: Iterable<readonly [string, number]>): Record<string, number> => {
  const sum: Record<string, number> = {}
  for (const [key, value] of values) sum[key] = (sum[key] ?? 0) + value
  return sum
}

test.each(Array.from({ length: 24 }, (_, seed) => seed))(
  'a log cut at any write: stores, outputs and positions agree, seed %i',
  async (seed) => {
    const { copies, firstCut, disk, prng } = await history(seed)
    const rows = diskOf(new Map(disk.rows)).rows
    for (let i = 0; i < 3; i++) {
      const cut = firstCut + prng.int(copies.length - firstCut)
      const site = await Site.open({}, diskOf(copies[cut]!), 3_000_000)
      const { application, kill } = await site.start({ topology: summing, disk: diskOf(rows) })
      await site.send(entries, 'a', 1)
      await site.idle()
      const sent = totals((await site.read(entries)).map(({ key, value }) => [key, value]))
      const stored: Record<string, number> = {}
      for (const key of keys) {
        const value = application.query(sumStore).get(key)
        if (value !== undefined) stored[key] = value
      }
      expect(stored, `cut at ${cut} of ${copies.length}`).toEqual(sent)
      const last = new Map((await site.read(sums)).map(({ key, value }) => [key, value]))
      expect(Object.fromEntries(last)).toEqual(sent)
      kill()
      await site.end()
    }
  },
)

test('a store that is ahead is wiped and rebuilt, and the log of the process says so', async () => {
  const { copies, firstCut, disk } = await history(5)
  const site = await Site.open({}, diskOf(copies[firstCut + 4]!), 3_000_000)
  const { log } = await site.start({ topology: summing, disk })
  expect(log.filter((line) => line.includes('wiped and restored'))).not.toEqual([])
})

test('a committed offset past the end of its topic is refused, never reset', async () => {
  const site = await Site.open()
  await site.createTopics([entries, { name: 'sums' }])
  const { kill, disk } = await site.start({ topology: summing })
  await site.send(entries, 'k', 1)
  await site.send(entries, 'k', 2)
  await site.idle()
  kill()
  await site.end()
  // the last record of the input is gone, the offsets are not: no cut does this, a bad copy may
  const { name } = entries
  const logRow = lastBatchOf(site.brokerDisk, name)
  site.brokerDisk.write(logRow, undefined)
  const next = await Site.open({}, site.brokerDisk, site.clock.nowMs())
  const { application } = next.launch({ topology: summing, disk })
  await next.until(() => application.state === 'failed')
  const reason = await application.stopped.catch((error: unknown) => error)
  expect(reason).toMatchObject({ code: 'BROKER_OFFSET_OUT_OF_RANGE', action: 'stop' })
  expect((reason as Error).message).toMatch(/entries-0 at 2.*holds 0 to 1.*never reset/)
})

/** Key of the newest batch row of the first partition of a topic. */
const lastBatchOf = (disk: MemoryDisk, topic: string): string => {
  const row = JSON.parse(disk.rows.get(`\u0005${topic}`)!) as { readonly firstLogId: number }
  const prefix = Buffer.from([1, 0, 0, 0, row.firstLogId]).toString('latin1')
  return [...disk.rows.keys()]
    .filter((key) => key.startsWith(prefix))
    .toSorted()
    .at(-1)!
}
