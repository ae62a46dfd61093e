/**
 * Goal: a static instance that is stopped and started again goes on with its tasks, and the others
 * notice nothing; yet a second process of its name, a death and a stop for good are seen at once.
 * Method: applications of one process on a real Kafka; every entry must be counted once.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import type { Application } from '../../src/index.ts'
import { realKafka } from './real-kafka.ts'
import { partitions, summingSite } from './summing-site.ts'

const kafka = await realKafka()
/** Only what is told, not what times out, may end a test in time. */
const config = { sessionTimeoutMs: 300_000, transactionTimeoutMs: 300_000 }

describe.skipIf('skipped' in kafka)('static members', () => {
  const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap
  let broker: KafkaBroker

  beforeAll(async () => {
    broker = await KafkaBroker.open({ bootstrap })
  })
  afterAll(() => broker.close())

  const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await condition())) await sleep(50)
  }

  const tasksOf = (application: Application): number => application.metrics().tasks

  /** Two static instances that share the tasks and have met each other by their links. */
  const twoStatic = async (more: { readonly leavesOnStop?: boolean } = {}) => {
    const site = await summingSite({ bootstrap, broker })
    const disk = new MemoryDisk()
    const options = { isStatic: true, config, ...more } as const
    const first = await site.launch({ instanceId: 'a', ...options })
    await first.application.start()
    const second = await site.launch({ instanceId: 'b', disk, ...options })
    await second.application.start()
    await until(() => tasksOf(first.application) === 2 && tasksOf(second.application) === 2)
    await sleep(1_500) // the links are there
    await site.send()
    const expectRounds = async (rounds: number): Promise<void> => {
      await until(async () => {
        const sums = [...(await site.sumsOf()).values()]
        return sums.length === partitions && sums.every((found) => found.at(-1)! >= rounds)
      })
      const counted = Array.from({ length: rounds }, (_, i) => i + 1)
      for (const found of (await site.sumsOf()).values()) expect(found).toEqual(counted)
    }
    await expectRounds(1)
    return { site, options, disk, first, second, expectRounds }
  }

  it('stopped and started again: no new generation, the same tasks', async () => {
    const { site, options, disk, first, second, expectRounds } = await twoStatic()
    const before = [...first.generations]
    let back = second
    for (let round = 2; round <= 3; round++) {
      await back.close()
      await site.send()
      await sleep(1_500) // time enough for a death to be seen
      back = await site.launch({ instanceId: 'b', disk, ...options })
      await back.application.start()
      expect(back.generations).toEqual([before.at(-1)])
      expect(tasksOf(back.application)).toBe(2)
      await expectRounds(round)
      // it listens elsewhere now, which the assignment does not tell
      const owners = []
      for (let partition = 0; partition < partitions; partition++) {
        const where = { store: site.store, partition }
        const { owner, rows } = await first.reads.read(where, { kind: 'range', limit: 9 })
        expect(rows.map(({ value }) => value)).toEqual([round])
        owners.push(owner)
      }
      expect(owners.toSorted()).toEqual(['a', 'a', 'b', 'b'])
    }
    expect(first.generations).toEqual(before)
    expect([tasksOf(first.application), first.application.metrics().reopenings]).toEqual([2, 0])
    // it is watched as it is now, though no generation has told of it
    back.application.kill()
    await until(() => tasksOf(first.application) === partitions)
    await site.send()
    await expectRounds(4)
  }, 60_000)

  it('a second process of the same id takes the place of the first, which stops', async () => {
    const { site, options, first, second, expectRounds } = await twoStatic()
    const before = [...first.generations]
    const stopped = second.application.stopped.then(
      () => undefined,
      (error: unknown) => error,
    )
    const successor = await site.launch({ instanceId: 'b', ...options })
    let isLoading = true
    let rounds = 1
    const load = (async () => {
      for (; isLoading; rounds++) {
        await site.send()
        await sleep(40)
      }
    })()
    onTestFinished(async () => {
      isLoading = false
      await load
    })
    await successor.application.start()
    const error = await stopped
    expect(error).toMatchObject({ code: 'STREAMS_INSTANCE_ID_IN_USE', action: 'stop' })
    expect((error as Error).message).toContain('instance id b ')
    isLoading = false
    await load
    await expectRounds(rounds)
    expect(first.generations).toEqual(before)
    expect([tasksOf(first.application), tasksOf(successor.application)]).toEqual([2, 2])
    expect(successor.application.state).toBe('running')
    expect(successor.application.metrics().reopenings).toBe(0)
  }, 60_000)

  it('a death is seen by the links, and the dead one is removed by both its ids', async () => {
    const { site, first, second, expectRounds } = await twoStatic()
    second.application.kill()
    await until(() => tasksOf(first.application) === partitions)
    await site.send()
    await expectRounds(2)
  }, 30_000)

  it('that leave on stop give their tasks to the others at once', async () => {
    const { site, first, second, expectRounds } = await twoStatic({ leavesOnStop: true })
    await second.application.close()
    await until(() => tasksOf(first.application) === partitions)
    await site.send()
    await expectRounds(2)
  }, 30_000)
})
