/** Zombies: a newer owner of a transactional id, or a time-out, stops them at every call. */

import { describe, expect, it } from 'vitest'
import type { TransactionalProducer } from '../../../src/broker/port.ts'
import type { CurrentCluster } from './harness.ts'
import { batchOf, codeOf, eventually, offsetOf, uncheckedGroup } from './probe.ts'

type ZombieCall = (zombie: TransactionalProducer, topic: string) => Promise<unknown>

const calls: readonly (readonly [name: string, call: ZombieCall])[] = [
  ['produce', (zombie, topic) => zombie.produce([batchOf(topic, 0, 'zombie')])],
  [
    'sendOffsets',
    (zombie, topic) => zombie.sendOffsets([offsetOf(topic, 0, 9n)], uncheckedGroup('zombies')),
  ],
  ['commit', (zombie) => zombie.commit()],
  ['abort', (zombie) => zombie.abort()],
]

export const fencingContract = (current: CurrentCluster): void => {
  fencing(current)
  timeOut(current)
}

const fencing = (current: CurrentCluster): void =>
  void describe('a newer owner', () => {
    it('aborts what the older one left open, before init answers', async () => {
      const { broker, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const id = current().name('tx')
      const older = await probe.transactional(id)
      older.begin()
      await older.produce([batchOf(topic, 0, 'lost')])
      const newer = await probe.transactional(id)
      const offsets = await broker.topics.offsets({ topic, partition: 0 })
      expect(offsets.lastStableOffset).toBe(offsets.highWatermark)
      newer.begin()
      await newer.produce([batchOf(topic, 0, 'kept')])
      await newer.commit()
      expect(await probe.settledValues(topic)).toEqual(['kept'])
    })

    it.each(calls)('fences the older one at %s', async (_, call) => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'))
      const id = current().name('tx')
      const zombie = await probe.transactional(id)
      zombie.begin()
      await zombie.produce([batchOf(topic, 0, 'lost')])
      const newer = await probe.transactional(id)
      newer.begin()
      await newer.produce([batchOf(topic, 0, 'kept')])
      expect(await codeOf(call(zombie, topic))).toBe('BROKER_PRODUCER_FENCED')
      await newer.commit()
      expect(await probe.settledValues(topic)).toEqual(['kept'])
    })

    it('fences the older one also where its last transaction was committed', async () => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'))
      const id = current().name('tx')
      const zombie = await probe.transactional(id)
      zombie.begin()
      await zombie.produce([batchOf(topic, 0, 'kept')])
      await zombie.commit()
      await probe.transactional(id)
      zombie.begin()
      expect(await codeOf(zombie.produce([batchOf(topic, 0, 'zombie')]))).toBe(
        'BROKER_PRODUCER_FENCED',
      )
      expect(await probe.settledValues(topic)).toEqual(['kept'])
    })

    it('may be the same handle, initialised again', async () => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'))
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      await producer.produce([batchOf(topic, 0, 'lost')])
      await producer.init()
      producer.begin()
      await producer.produce([batchOf(topic, 0, 'kept')])
      await producer.commit()
      expect(await probe.settledValues(topic)).toEqual(['kept'])
    })

    it('does not touch other transactional ids', async () => {
      const { probe } = current()
      const topic = await probe.create(current().name('orders'))
      const bystander = await probe.transactional(current().name('bystander'))
      bystander.begin()
      await bystander.produce([batchOf(topic, 0, 'kept')])
      const id = current().name('tx')
      await probe.transactional(id)
      await probe.transactional(id)
      await bystander.commit()
      expect(await probe.settledValues(topic)).toEqual(['kept'])
    })
  })

const timeOut = (current: CurrentCluster): void =>
  void describe('transaction time-out', () => {
    it.each(calls.slice(0, 3))('aborts it and is told at %s', async (_, call) => {
      const { harness, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const slow = await probe.transactional(current().name('tx'), 1000)
      slow.begin()
      await slow.produce([batchOf(topic, 0, 'lost')])
      await harness.passTime(1500)
      await eventually(async () => {
        await harness.passTime(100)
        await probe.settled(topic)
      })
      expect(['BROKER_TRANSACTION_TIMED_OUT', 'BROKER_PRODUCER_FENCED']).toContain(
        await codeOf(call(slow, topic)),
      )
      expect(await probe.settledValues(topic)).toEqual([])
      await slow.init()
      slow.begin()
      await slow.produce([batchOf(topic, 0, 'kept')])
      await slow.commit()
      expect(await probe.settledValues(topic)).toEqual(['kept'])
    })

    it('does not count while nothing is open', async () => {
      const { harness, probe } = current()
      const topic = await probe.create(current().name('orders'))
      const producer = await probe.transactional(current().name('tx'), 1000)
      producer.begin()
      await producer.produce([batchOf(topic, 0, 'a')])
      await producer.commit()
      await harness.passTime(1500)
      producer.begin()
      await producer.produce([batchOf(topic, 0, 'b')])
      await producer.commit()
      expect(await probe.settledValues(topic)).toEqual(['a', 'b'])
    })
  })
