import { describe, expect, it } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import {
  EmbeddedBrokerFaults,
  type FaultOperation,
  type RandomFaults,
} from '../../src/broker/embedded/faults.ts'
import type { TransactionalProducer } from '../../src/broker/port.ts'
import { Prng } from '../../src/testing/prng.ts'
import { Probe, batchOf, codeOf, offsetOf, uncheckedGroup } from '../contract/broker/probe.ts'
import { EmbeddedHarness, memorySource } from './embedded-harness.ts'

const openFaulty = async (random?: RandomFaults) => {
  const faults = new EmbeddedBrokerFaults()
  const harness = await EmbeddedHarness.open(memorySource(), { faults })
  const probe = new Probe(harness.embedded)
  await probe.create('orders')
  const producer = await probe.transactional('tx')
  faults.random = random
  return { faults, harness, probe, producer }
}

const fail = (code: 'BROKER_UNAVAILABLE' | 'BROKER_UNKNOWN_OUTCOME') => (): never => {
  throw new BrokerError(code, 'injected')
}

describe('faults on demand', () => {
  it('before the effect: nothing was done, the same call again works', async () => {
    const { faults, harness, probe, producer } = await openFaulty()
    producer.begin()
    faults.control('produce', fail('BROKER_UNAVAILABLE'))
    expect(await codeOf(producer.produce([batchOf('orders', 0, 'a')]))).toBe('BROKER_UNAVAILABLE')
    await producer.produce([batchOf('orders', 0, 'a')])
    await producer.commit()
    expect(faults.pendingControls).toBe(0)
    expect(await probe.settledValues('orders')).toEqual(['a'])
    await harness.dispose()
  })

  it('after the effect: the commit stands, though its caller cannot know', async () => {
    const { faults, harness, probe, producer } = await openFaulty()
    producer.begin()
    await producer.produce([batchOf('orders', 0, 'a')])
    faults.control('commit', fail('BROKER_UNKNOWN_OUTCOME'), { when: 'after' })
    expect(await codeOf(producer.commit())).toBe('BROKER_UNKNOWN_OUTCOME')
    expect(() => producer.begin()).toThrow('lost')
    await producer.init()
    expect(await probe.settledValues('orders')).toEqual(['a'])
    await harness.dispose()
  })

  it('an unknown commit that had no effect is aborted by the next init', async () => {
    const { faults, harness, probe, producer } = await openFaulty()
    producer.begin()
    await producer.produce([batchOf('orders', 0, 'a')])
    faults.control('commit', fail('BROKER_UNKNOWN_OUTCOME'))
    expect(await codeOf(producer.commit())).toBe('BROKER_UNKNOWN_OUTCOME')
    await producer.init()
    expect(await probe.settledValues('orders')).toEqual([])
    await harness.dispose()
  })

  it('an unknown produce leaves only abort', async () => {
    const { faults, harness, probe, producer } = await openFaulty()
    producer.begin()
    faults.control('produce', fail('BROKER_UNKNOWN_OUTCOME'), { when: 'after' })
    await codeOf(producer.produce([batchOf('orders', 0, 'a')]))
    expect(await codeOf(producer.commit())).toBe('BROKER_UNKNOWN_OUTCOME')
    await producer.abort()
    expect(await probe.settledValues('orders')).toEqual([])
    await harness.dispose()
  })

  it('delays a call until its promise resolves', async () => {
    const { faults, harness, probe, producer } = await openFaulty()
    const gate = Promise.withResolvers<void>()
    faults.control('produce', () => gate.promise)
    producer.begin()
    let isProduced = false
    const producing = producer
      .produce([batchOf('orders', 0, 'a')])
      .finally(() => (isProduced = true))
    await harness.passTime(100)
    expect(isProduced).toBe(false)
    expect(await probe.values('orders', 'read_uncommitted')).toEqual([])
    gate.resolve()
    await producing
    await producer.commit()
    await harness.dispose()
  })

  const operations: readonly (readonly [
    FaultOperation,
    (probe: Probe, producer: TransactionalProducer) => Promise<unknown>,
  ])[] = [
    ['initProducer', (_, producer) => producer.init()],
    ['beginTransaction', async (_, producer) => producer.begin()],
    [
      'abort',
      async (_, producer) => {
        producer.begin()
        await producer.abort()
      },
    ],
    [
      'sendOffsets',
      async (_, producer) => {
        producer.begin()
        await producer.sendOffsets([offsetOf('orders', 0, 1n)], uncheckedGroup('group'))
      },
    ],
    [
      'fetch',
      ({ broker }) =>
        broker.fetcher('test').fetch([], { isolation: 'read_committed', maxWaitMs: 0 }),
    ],
    ['committedOffsets', ({ broker }) => broker.groups.committedOffsets('group', [])],
    ['heartbeat', ({ broker }) => broker.groups.heartbeat(uncheckedGroup('group'))],
    [
      'join',
      ({ broker }) =>
        broker.groups.join({
          groupId: 'group',
          memberId: '',
          sessionTimeoutMs: 6000,
          metadata: Buffer.from('a'),
          assign: () => new Map(),
        }),
    ],
  ]

  it.each(operations)('meets %s', async (operation, call) => {
    const { faults, harness, probe, producer } = await openFaulty()
    faults.control(operation, fail('BROKER_UNAVAILABLE'))
    expect(await codeOf(call(probe, producer))).toBe('BROKER_UNAVAILABLE')
    await harness.dispose()
  })
})

describe('random faults', () => {
  it('answer a fetch in parts, without losing or doubling a record', async () => {
    const { harness, probe } = await openFaulty({ prng: new Prng(5), partialFetch: 0.7 })
    const values = Array.from({ length: 200 }, (_, index) => `value-${index}`)
    await probe.broker.producer('test').send([batchOf('orders', 0, ...values)])
    expect(await probe.values('orders')).toEqual(values)
    await harness.dispose()
  })

  it('start rebalances that nobody asked for', async () => {
    const { harness, probe } = await openFaulty({ prng: new Prng(5), spuriousRebalance: 1 })
    const { groups } = probe.broker
    const joined = await groups.join({
      groupId: 'group',
      memberId: '',
      sessionTimeoutMs: 6000,
      metadata: Buffer.from('a'),
      assign: () => new Map(),
    })
    expect(await groups.heartbeat(joined)).toBe('rebalancing')
    const again = await groups.join({
      groupId: 'group',
      memberId: joined.memberId,
      sessionTimeoutMs: 6000,
      metadata: Buffer.from('a'),
      assign: () => new Map(),
    })
    expect(again.generationId).toBe(joined.generationId + 1)
    await harness.dispose()
  })

  it('refuse a produce while the last transaction is ending, if asked to', async () => {
    const { harness, probe, producer } = await openFaulty({
      prng: new Prng(5),
      concurrentTransactions: 1,
    })
    producer.begin()
    await producer.produce([batchOf('orders', 0, 'a')])
    await producer.commit()
    producer.begin()
    expect(await codeOf(producer.produce([batchOf('orders', 0, 'b')]))).toBe(
      'BROKER_CONCURRENT_TRANSACTIONS',
    )
    await probe.settled('orders')
    await producer.produce([batchOf('orders', 0, 'b')])
    await producer.commit()
    expect(await probe.settledValues('orders')).toEqual(['a', 'b'])
    await harness.dispose()
  })

  /**
   * Goal: a writer that does what `action` says writes each value exactly once, whatever fails.
   * Method: values 0..n with their offset in one transaction each; after every failure the writer
   * asks for its committed offset and goes on there, as a task does.
   */
  it.each([1, 2, 3, 4])('cannot make a careful writer lose or double, seed %i', async (seed) => {
    const random: RandomFaults = {
      prng: new Prng(seed),
      unavailable: 0.08,
      unknownBefore: 0.05,
      unknownAfter: 0.05,
      concurrentTransactions: 0.2,
      delay: 0.1,
      delayMsMax: 5,
    }
    const { faults, harness, probe, producer } = await openFaulty(random)
    const ticking = setInterval(() => harness.clock.advanceBy(5), 0)
    const values = Array.from({ length: 60 }, (_, index) => `${index}`)
    let failures = 0
    for (let next = 0; next < values.length;) {
      try {
        producer.begin()
        await producer.produce([batchOf('orders', 0, values[next]!)])
        await producer.sendOffsets(
          [offsetOf('orders', 0, BigInt(next + 1))],
          uncheckedGroup('group'),
        )
        await producer.commit()
        next += 1
      } catch (error) {
        expect(error).toBeInstanceOf(BrokerError)
        failures += 1
        next = await recovered(probe, producer)
      }
    }
    clearInterval(ticking)
    faults.random = undefined
    expect(failures).toBeGreaterThan(5)
    expect(await probe.settledValues('orders')).toEqual(values)
    await harness.dispose()
  })
})

const recovered = async (probe: Probe, producer: TransactionalProducer): Promise<number> => {
  for (;;) {
    try {
      await producer.init()
      return Number((await probe.committed('group', 'orders')) ?? 0n)
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
    }
  }
}
