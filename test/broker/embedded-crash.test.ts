/**
 * Goal: a kill at any point of a transaction's end leaves it committed as a whole or aborted as a
 * whole, and a disk that refuses leaves a broker that goes on. Method: the broker is killed between
 * two steps, held there by the marker delay on a manual clock or by a gate before the disk's write.
 */

import { describe, expect, it } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { StoreFullError } from '../../state/errors.ts'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import {
  Probe,
  batchOf,
  codeOf,
  eventually,
  offsetOf,
  uncheckedGroup,
} from '../contract/broker/probe.ts'
import { EmbeddedHarness, type EmbeddedOptions, memorySource, turns } from './embedded-harness.ts'

const openCluster = async (options: EmbeddedOptions = {}, disk = new MemoryDisk()) => {
  const harness = await EmbeddedHarness.open(memorySource(disk), options)
  return { harness, disk, probe: new Probe(harness.embedded) }
}

const restarted = async (harness: EmbeddedHarness): Promise<Probe> => {
  await harness.restart()
  return new Probe(harness.embedded)
}

/** One transaction with a record and an offset, up to the call of commit. */
const openTransaction = async (probe: Probe) => {
  await probe.create('orders', 2)
  const producer = await probe.transactional('tx')
  producer.begin()
  await producer.produce([batchOf('orders', 0, 'a'), batchOf('orders', 1, 'b')])
  await producer.sendOffsets([offsetOf('orders', 0, 7n)], uncheckedGroup('group'))
  return producer
}

describe('embedded broker: a kill while a transaction ends', () => {
  it('after the answer of commit, before the markers: completed at the next start', async () => {
    const { harness, probe } = await openCluster({ markerDelayMs: 1000 })
    const producer = await openTransaction(probe)
    await producer.commit()
    await turns()
    expect(await probe.values('orders')).toEqual([])
    const after = await restarted(harness)
    expect(await after.values('orders')).toEqual(['a'])
    expect(await after.read('orders', 'read_committed', { partition: 1 })).toHaveLength(1)
    expect(await after.committed('group', 'orders')).toBe(7n)
    await harness.dispose()
  })

  it('after the offsets, before the markers of the logs', async () => {
    const { harness, probe } = await openCluster({ logMarkerDelayMs: 1000 })
    await (await openTransaction(probe)).commit()
    expect(await probe.committed('group', 'orders')).toBe(7n)
    expect(await probe.values('orders')).toEqual([])
    const after = await restarted(harness)
    expect(await after.values('orders')).toEqual(['a'])
    expect(await after.committed('group', 'orders')).toBe(7n)
    await harness.dispose()
  })

  it('before the decision is durable: aborted, and commit is not answered as done', async () => {
    const { disk, harness, probe } = await openCluster()
    const producer = await openTransaction(probe)
    disk.beforeCommit = () => new Promise(() => {})
    const committing = producer.commit()
    const outcome = codeOf(committing)
    await turns()
    harness.embedded.kill()
    expect(await outcome).toBe('BROKER_UNKNOWN_OUTCOME')
    disk.beforeCommit = undefined
    const after = await restarted(harness)
    expect(await after.settledValues('orders')).toEqual([])
    expect(await after.committed('group', 'orders')).toBeUndefined()
    await harness.dispose()
  })

  it('a killed broker writes nothing more', async () => {
    const { disk, harness, probe } = await openCluster({ markerDelayMs: 100 })
    await (await openTransaction(probe)).commit()
    harness.embedded.kill()
    const rows = new Map(disk.rows)
    harness.clock.advanceBy(100_000)
    await turns()
    expect(disk.rows).toEqual(rows)
    await harness.restart()
    await harness.dispose()
  })

  it('keeps an open transaction of the last run open if asked to, until it times out', async () => {
    const { harness, probe } = await openCluster({ openTransactionsOnStart: 'keep' })
    await openTransaction(probe)
    const after = await restarted(harness)
    await after.broker.producer('test').send([batchOf('orders', 0, 'behind')])
    expect(await after.values('orders')).toEqual([])
    await harness.passTime(61_000)
    expect(await after.settledValues('orders')).toEqual(['behind'])
    await harness.dispose()
  })

  it('an heir of the id need not wait for the time-out', async () => {
    const { harness, probe } = await openCluster({ openTransactionsOnStart: 'keep' })
    await openTransaction(probe)
    const after = await restarted(harness)
    await after.broker.producer('test').send([batchOf('orders', 0, 'behind')])
    await after.transactional('tx')
    expect(await after.values('orders')).toEqual(['behind'])
    await harness.dispose()
  })
})

describe('embedded broker: markers that lag', () => {
  it('last stable offset and offsets move with the markers, not with the answer', async () => {
    const { harness, probe } = await openCluster({ markerDelayMs: 1000 })
    const producer = await openTransaction(probe)
    await producer.commit()
    await turns()
    const orders = { topic: 'orders', partition: 0 }
    expect(await probe.broker.topics.offsets(orders)).toMatchObject({
      lastStableOffset: 0n,
      highWatermark: 1n,
    })
    const reading = probe.committed('group', 'orders')
    await harness.passTime(1000)
    expect(await reading).toBe(7n)
    expect(await probe.broker.topics.offsets(orders)).toMatchObject({
      lastStableOffset: 2n,
      highWatermark: 2n,
    })
    await harness.dispose()
  })

  it('the next transaction waits for them, so ranges never overlap', async () => {
    const { harness, probe } = await openCluster({ markerDelayMs: 1000 })
    const producer = await openTransaction(probe)
    await producer.abort()
    producer.begin()
    let isProduced = false
    const producing = producer
      .produce([batchOf('orders', 0, 'kept')])
      .finally(() => (isProduced = true))
    await turns()
    expect(isProduced).toBe(false)
    await harness.passTime(1000)
    await producing
    await producer.commit()
    await harness.passTime(1000)
    expect(await probe.settledValues('orders')).toEqual(['kept'])
    await harness.dispose()
  })
})

describe('embedded broker: transaction time-out', () => {
  it('is told apart from fencing, until there is a newer owner', async () => {
    const { harness, probe } = await openCluster()
    const producer = await openTransaction(probe)
    await harness.passTime(61_000)
    const late = () => codeOf(producer.produce([batchOf('orders', 0, 'late')]))
    expect(await late()).toBe('BROKER_TRANSACTION_TIMED_OUT')
    await probe.transactional('tx')
    expect(await late()).toBe('BROKER_PRODUCER_FENCED')
    await harness.dispose()
  })
})

const full = (): never => {
  throw new StoreFullError('(memory)')
}

describe('embedded broker: a disk that refuses', () => {
  it('a produce fails as unavailable, the same call again works', async () => {
    const { disk, harness, probe } = await openCluster()
    await probe.create('orders')
    const producer = await probe.transactional('tx')
    producer.begin()
    disk.beforeCommit = full
    const refused = producer.produce([batchOf('orders', 0, 'a')])
    expect(await codeOf(refused)).toBe('BROKER_UNAVAILABLE')
    disk.beforeCommit = undefined
    const [produced] = await producer.produce([batchOf('orders', 0, 'a')])
    expect(produced!.baseOffset).toBe(1n) // the refused record left a gap
    await producer.commit()
    expect(await probe.settledValues('orders')).toEqual(['a'])
    await harness.dispose()
  })

  it('what was refused and tried again is known to be open after a kill', async () => {
    const { disk, harness, probe } = await openCluster()
    await probe.create('orders')
    const producer = await probe.transactional('tx')
    producer.begin()
    disk.beforeCommit = full
    await codeOf(producer.produce([batchOf('orders', 0, 'a')]))
    disk.beforeCommit = undefined
    await producer.produce([batchOf('orders', 0, 'a')])
    const after = await restarted(harness)
    expect(await after.settledValues('orders')).toEqual([])
    await harness.dispose()
  })

  it('a commit may be tried again', async () => {
    const { disk, harness, probe } = await openCluster()
    const producer = await openTransaction(probe)
    disk.beforeCommit = full
    expect(await codeOf(producer.commit())).toBe('BROKER_UNAVAILABLE')
    disk.beforeCommit = undefined
    await producer.commit()
    expect(await probe.settledValues('orders')).toEqual(['a'])
    await harness.dispose()
  })

  it.each([0, 5])('markers are tried until there is space, log delay %i', async (delayMs) => {
    const options = { markerDelayMs: 10, logMarkerDelayMs: delayMs }
    const { disk, harness, probe } = await openCluster(options)
    await (await openTransaction(probe)).commit()
    disk.beforeCommit = full
    await harness.passTime(500)
    expect(await probe.values('orders')).toEqual([])
    disk.beforeCommit = undefined
    await harness.passTime(500)
    expect(await probe.settledValues('orders')).toEqual(['a'])
    expect(await probe.committed('group', 'orders')).toBe(7n)
    await harness.dispose()
  })

  it('another failure of the disk is an unknown outcome', async () => {
    const { disk, harness, probe } = await openCluster()
    await probe.create('orders')
    disk.beforeCommit = () => {
      throw new Error('the disk is on fire')
    }
    const sent = probe.broker.producer('test').send([batchOf('orders', 0, 'a')])
    const error = await sent.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BrokerError)
    expect(error).toMatchObject({ code: 'BROKER_UNKNOWN_OUTCOME', action: 'reopenTask' })
    disk.beforeCommit = undefined
    await harness.dispose()
  })
})

describe('embedded broker: close', () => {
  it('waits for markers, ends long polls, refuses what comes later', async () => {
    const { disk, harness, probe } = await openCluster({ markerDelayMs: 50 })
    const producer = await openTransaction(probe)
    await producer.commit()
    const fetcher = probe.broker.fetcher('test')
    const request = { topic: 'orders', partition: 0, offset: 0n, maxBytes: 1000 }
    const ask = () => fetcher.fetch([request], { isolation: 'read_committed', maxWaitMs: 60_000 })
    await ask()
    const waiting = ask()
    const closing = probe.broker.close()
    expect(await waiting).toHaveLength(1)
    await harness.passTime(100)
    await closing
    producer.begin()
    expect(await codeOf(producer.produce([batchOf('orders', 0, 'late')]))).toBe('BROKER_CLOSED')
    expect(await codeOf(probe.broker.topics.create([]))).toBe('BROKER_CLOSED')
    expect(() => probe.broker.fetcher('late')).toThrow('closed')
    expect([...disk.rows.keys()].filter((key) => key.startsWith('\x01'))).toHaveLength(4)
    await harness.restart()
    await eventually(async () => {
      expect(await new Probe(harness.embedded).values('orders')).toEqual(['a'])
    })
    await harness.dispose()
  })
})
