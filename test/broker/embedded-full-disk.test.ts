/**
 * Goal: a disk that stays full, or fails, ends the embedded broker with the disk's own error.
 *
 * Method: a memory disk refuses from some moment on. Nothing may wait for ever, nothing that was
 * refused may be told as done, and what was acknowledged is there after the next start.
 */

import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { StoreFullError, StoreIoError } from '../../state/errors.ts'
import { Probe, batchOf } from '../contract/broker/probe.ts'
import { EmbeddedHarness, memorySource, turns } from './embedded-harness.ts'

const open = async () => {
  const disk = new MemoryDisk()
  const harness = await EmbeddedHarness.open(memorySource(disk), { markerDelayMs: 10 })
  const probe = new Probe(harness.embedded)
  await probe.create('orders')
  return { disk, harness, probe }
}

const full = (): never => {
  throw new StoreFullError('/state/broker')
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'done',
    (error: unknown) => (error as { readonly code?: unknown }).code,
  )

/** A transaction with a record and an offset, not ended. */
const begun = async (probe: Probe) => {
  const producer = await probe.transactional('tx')
  const group = await probe.broker.groups.join({
    groupId: 'group',
    memberId: '',
    sessionTimeoutMs: 600_000,
    topics: ['orders'],
    metadata: new Uint8Array(),
    assign: () => new Map(),
  })
  producer.begin()
  await producer.produce([batchOf('orders', 0, 'a')])
  await producer.sendOffsets([{ topic: 'orders', partition: 0, offset: 7n, metadata: '' }], group)
  return producer
}

const partition = { topic: 'orders', partition: 0 }

describe('embedded broker: a disk that stays full', () => {
  it('refuses for a while, then ends with STATE_FULL on every path', async () => {
    const { disk, harness, probe } = await open()
    const producer = await begun(probe)
    let failed: unknown
    harness.embedded.failed.catch((error: unknown) => (failed = error))
    disk.beforeCommit = full
    const sender = probe.broker.producer('test')
    const send = () => codeOf(sender.send([batchOf('orders', 0, 'late')]))
    expect(await send()).toBe('BROKER_UNAVAILABLE')
    await harness.passTime(9_000)
    expect(await send()).toBe('BROKER_UNAVAILABLE')
    expect(failed).toBeUndefined()
    await harness.passTime(1_000)
    expect(await send()).toBe('STATE_FULL')
    expect(failed).toMatchObject({ code: 'STATE_FULL' })
    expect((failed as Error).message).toMatch('/state/broker; free some space and start again')
    expect(await codeOf(producer.produce([batchOf('orders', 0, 'b')]))).toBe('STATE_FULL')
    expect(await codeOf(producer.commit())).toBe('STATE_FULL')
    expect(await codeOf(producer.abort())).toBe('STATE_FULL')
    expect(await codeOf(probe.transactional('another'))).toBe('STATE_FULL')
    const spec = { name: 'more', partitions: 1, config: { cleanupPolicy: 'delete' } } as const
    expect(await codeOf(probe.broker.topics.create([spec]))).toBe('STATE_FULL')
    disk.beforeCommit = undefined
    expect(await send()).toBe('STATE_FULL') // it does not come back: a new start finds out
    await harness.dispose()
  })

  it('space that comes back in time is used', async () => {
    const { disk, harness, probe } = await open()
    const sender = probe.broker.producer('test')
    for (let i = 0; i < 5; i++) {
      disk.beforeCommit = full
      await codeOf(sender.send([batchOf('orders', 0, 'refused')]))
      await harness.passTime(9_000)
      disk.beforeCommit = undefined
      await sender.send([batchOf('orders', 0, `${i}`)])
    }
    expect(await probe.values('orders')).toEqual(['0', '1', '2', '3', '4'])
    await harness.dispose()
  })

  it('a decided transaction without markers holds nobody for ever, nor close', async () => {
    const { disk, harness, probe } = await open()
    await (await begun(probe)).commit()
    disk.beforeCommit = full
    await harness.passTime(100)
    const waiting = [
      codeOf(probe.transactional('tx')),
      codeOf(probe.broker.groups.committedOffsets('group', [partition])),
    ]
    const closing = harness.embedded.close()
    await harness.passTime(12_000)
    expect(await Promise.all(waiting)).toEqual(['STATE_FULL', 'STATE_FULL'])
    await closing
    disk.beforeCommit = undefined
    await harness.restart()
    const after = new Probe(harness.embedded)
    expect(await after.settledValues('orders')).toEqual(['a']) // the decision was acknowledged
    expect(await after.committed('group', 'orders')).toBe(7n)
    await harness.dispose()
  })

  it('what was not decided is aborted at the next start', async () => {
    const { disk, harness, probe } = await open()
    const producer = await begun(probe)
    disk.beforeCommit = full
    expect(await codeOf(producer.commit())).toBe('BROKER_UNAVAILABLE')
    await harness.passTime(10_000)
    expect(await codeOf(producer.commit())).toBe('STATE_FULL')
    disk.beforeCommit = undefined
    await harness.restart()
    const after = new Probe(harness.embedded)
    await after.broker.producer('test').send([batchOf('orders', 0, 'z')])
    expect(await after.settledValues('orders')).toEqual(['z'])
    await harness.dispose()
  })

  it('a disk that fails otherwise ends it at once', async () => {
    const { disk, harness, probe } = await open()
    const failed = codeOf(harness.embedded.failed)
    disk.beforeCommit = () => {
      throw new StoreIoError('/state/broker', new Error('input/output error'))
    }
    const sender = probe.broker.producer('test')
    expect(await codeOf(sender.send([batchOf('orders', 0, 'a')]))).toBe('STATE_IO')
    expect(await failed).toBe('STATE_IO')
    await harness.dispose()
  })

  it('a kill while markers are on their way holds nobody either', async () => {
    const { harness, probe } = await open()
    await (await begun(probe)).commit()
    const waiting = codeOf(probe.transactional('tx'))
    await turns(1)
    harness.embedded.kill()
    expect(await waiting).toMatch(/^BROKER_/)
    await harness.restart()
    await harness.dispose()
  })
})
