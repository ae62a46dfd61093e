/** What the embedded broker keeps where: tails in memory, rows on the disk, and when they go. */

import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { Probe, batchOf, recordOf } from '../contract/broker/probe.ts'
import { EmbeddedHarness, type EmbeddedOptions, memorySource, turns } from './embedded-harness.ts'

const openCluster = async (options: EmbeddedOptions = {}) => {
  const disk = new MemoryDisk()
  const harness = await EmbeddedHarness.open(memorySource(disk), options)
  return { disk, harness, probe: new Probe(harness.embedded) }
}

const batchRows = (disk: MemoryDisk): number => rowsOf(disk, 1)
const rowsOf = (disk: MemoryDisk, tag: number): number =>
  [...disk.rows.keys()].filter((key) => key.codePointAt(0) === tag).length

const compacted = { cleanupPolicy: 'compact' } as const

describe('embedded broker: tail cache', () => {
  it('has no hole where nobody read for a while', async () => {
    const { harness, probe } = await openCluster()
    await probe.create('orders')
    const producer = probe.broker.producer('test')
    const fetcher = probe.broker.fetcher('test')
    const ask = () =>
      fetcher.fetch([{ topic: 'orders', partition: 0, offset: 0n, maxBytes: 1000 }], {
        isolation: 'read_committed',
        maxWaitMs: 0,
      })
    await ask()
    await producer.send([batchOf('orders', 0, 'cached')])
    harness.clock.advanceBy(60_000)
    await producer.send([batchOf('orders', 0, 'on disk')])
    expect((await ask())[0]!.records).toHaveLength(2)
    await producer.send([batchOf('orders', 0, 'cached again')])
    expect(await probe.values('orders')).toEqual(['cached', 'on disk', 'cached again'])
    await harness.dispose()
  })

  it('hands out the bytes that were produced, uncopied', async () => {
    const { harness, probe } = await openCluster()
    await probe.create('orders')
    const fetcher = probe.broker.fetcher('test')
    const ask = () =>
      fetcher.fetch([{ topic: 'orders', partition: 0, offset: 0n, maxBytes: 1000 }], {
        isolation: 'read_committed',
        maxWaitMs: 0,
      })
    await ask()
    const record = recordOf('key', 'value')
    await probe.broker.producer('test').send([{ topic: 'orders', partition: 0, records: [record] }])
    const [batch] = await ask()
    expect(batch!.records[0]!.value).toBe(record.value)
    await harness.dispose()
  })
})

describe('embedded broker: rows', () => {
  it('of purged records go at the next maintenance', async () => {
    const { disk, harness, probe } = await openCluster()
    await probe.create('orders')
    const producer = probe.broker.producer('test')
    for (const value of ['a', 'b', 'c']) await producer.send([batchOf('orders', 0, value)])
    await probe.broker.topics.purge({ topic: 'orders', partition: 0 }, 2n)
    expect(batchRows(disk)).toBe(3)
    await harness.embedded.maintain()
    expect(batchRows(disk)).toBe(1)
    await harness.dispose()
  })

  it('of a deleted topic go, also if the broker is killed in between', async () => {
    const { disk, harness, probe } = await openCluster()
    await probe.create('orders', 3)
    await probe.broker.producer('test').send([batchOf('orders', 2, 'a')])
    let commits = 0
    disk.beforeCommit = () => (commits++ === 0 ? undefined : new Promise(() => {}))
    void probe.broker.topics.delete(['orders']).catch(() => {}) // hangs in the second write
    await turns()
    disk.beforeCommit = undefined
    await harness.restart()
    expect(batchRows(disk) + rowsOf(disk, 8) + rowsOf(disk, 2)).toBe(0)
    expect(await harness.embedded.topics.list()).toEqual([])
    await harness.dispose()
  })

  it('of transactional ids go after a week', async () => {
    const { disk, harness, probe } = await openCluster()
    await probe.transactional('old')
    harness.clock.advanceBy(8 * 24 * 3_600_000)
    await probe.transactional('young')
    await harness.restart()
    await turns()
    expect(rowsOf(disk, 6)).toBe(1)
    await harness.dispose()
  })

  it('of aborted ranges go with their records', async () => {
    const { disk, harness, probe } = await openCluster()
    await probe.create('table', 1, compacted)
    const producer = await probe.transactional('tx')
    for (let i = 0; i < 5; i++) {
      producer.begin()
      await producer.produce([batchOf('table', 0, `${i}`)])
      await producer.abort()
    }
    producer.begin()
    await producer.produce([batchOf('table', 0, 'last')])
    await producer.commit()
    await probe.settled('table')
    expect(rowsOf(disk, 3)).toBe(5)
    await harness.maintain()
    expect(rowsOf(disk, 3)).toBe(0)
    expect(await probe.values('table')).toEqual(['last'])
    await harness.dispose()
  })
})

describe('embedded broker: maintenance', () => {
  it('compacts by its timer once it is worth while', async () => {
    const { disk, harness, probe } = await openCluster({
      maintenanceIntervalMs: 1000,
      dirtyRecordsMin: 10,
    })
    await probe.create('table', 1, compacted)
    const producer = probe.broker.producer('test')
    const write = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        await producer.send([{ topic: 'table', partition: 0, records: [recordOf('key', `${i}`)] }])
      }
    }
    await write(9)
    await harness.passTime(3000)
    expect(batchRows(disk)).toBe(9)
    await write(9)
    await harness.passTime(3000)
    expect(batchRows(disk)).toBe(2) // what was compacted, and the last batch
    await harness.dispose()
  })

  it('compacts more keys than it may hold at once, in several runs', async () => {
    const { harness, probe } = await openCluster({ compactionKeysMax: 3 })
    await probe.create('table', 1, compacted)
    const producer = probe.broker.producer('test')
    for (let i = 0; i < 40; i++) {
      const records = [recordOf(`key-${i % 8}`, `${i}`)]
      await producer.send([{ topic: 'table', partition: 0, records }])
    }
    await harness.maintain()
    expect(await probe.values('table')).toHaveLength(40) // no key came twice among the first three
    for (let run = 0; run < 20; run++) await harness.maintain()
    const values = await probe.values('table')
    expect(values.slice(-8)).toEqual(['32', '33', '34', '35', '36', '37', '38', '39'])
    expect(values).toHaveLength(9) // 31 has the key of 39, the last batch, which is not cleaned
    await harness.dispose()
  })

  it('is seen by readers of the tail, too', async () => {
    const { harness, probe } = await openCluster()
    await probe.create('table', 1, compacted)
    await probe.values('table')
    await probe.broker
      .fetcher('test')
      .fetch([{ topic: 'table', partition: 0, offset: 0n, maxBytes: 1000 }], {
        isolation: 'read_committed',
        maxWaitMs: 0,
      })
    const producer = probe.broker.producer('test')
    for (const value of ['1', '2', '3']) {
      await producer.send([{ topic: 'table', partition: 0, records: [recordOf('key', value)] }])
    }
    expect(await probe.values('table')).toEqual(['1', '2', '3'])
    await harness.maintain()
    expect(await probe.values('table')).toEqual(['2', '3'])
    await harness.dispose()
  })

  it('counts the age of each tombstone from the run that first saw it', async () => {
    const { harness, probe } = await openCluster()
    await probe.create('table', 1, { ...compacted, deleteRetentionMs: 10_000 })
    const producer = probe.broker.producer('test')
    const write = (...keys: string[]) =>
      producer.send(
        keys.map((key) => ({ topic: 'table', partition: 0, records: [recordOf(key, null)] })),
      )
    const keys = async () => (await probe.read('table')).map(({ key }) => key)
    await write('early', 'seal')
    await harness.maintain()
    await harness.passTime(6000)
    await write('late', 'seal')
    await harness.maintain()
    expect(await keys()).toEqual(['early', 'seal', 'late', 'seal'])
    await harness.passTime(5000)
    await write('seal')
    await harness.maintain()
    expect(await keys()).toEqual(['late', 'seal', 'seal'])
    await harness.dispose()
  })

  it('merges the small rows it leaves', async () => {
    const { disk, harness, probe } = await openCluster()
    await probe.create('table', 1, compacted)
    const producer = probe.broker.producer('test')
    for (let i = 0; i < 200; i++) await producer.send([batchOf('table', 0, `${i}`)])
    await harness.maintain()
    expect(batchRows(disk)).toBe(2)
    expect(await probe.read('table')).toHaveLength(200)
    const middle = await probe.broker
      .fetcher('test')
      .fetch([{ topic: 'table', partition: 0, offset: 120n, maxBytes: 1 }], {
        isolation: 'read_committed',
        maxWaitMs: 0,
      })
    expect(middle[0]!.baseOffset + BigInt(middle[0]!.records[0]!.offsetDelta)).toBe(120n)
    await harness.dispose()
  })

  it('ends quietly when the broker is closed during it', async () => {
    const { harness, probe } = await openCluster()
    await probe.create('table', 1, compacted)
    const producer = probe.broker.producer('test')
    for (let i = 0; i < 50; i++) {
      const records = Array.from({ length: 100 }, () => recordOf('key', 'x'.repeat(1000)))
      await producer.send([{ topic: 'table', partition: 0, records }])
    }
    const cleaning = harness.maintain().catch((error: unknown) => error)
    await turns(2)
    await harness.dispose()
    expect([undefined, 'BROKER_CLOSED']).toContain(((await cleaning) as { code?: string })?.code)
  })
})
