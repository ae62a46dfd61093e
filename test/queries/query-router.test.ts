/**
 * Goal: whichever instance is asked, the answer is committed truth or a clear "not now".
 *
 * Method: several instances on one embedded broker with a clock moved by hand. A seed decides who
 * joins, leaves or dies while everybody is asked for every key; a settled read must show all that
 * was sent before it, a plain read some sum that once was. A failure prints the seed.
 */

import { describe, expect, test } from 'vitest'
import { partitionOf } from '../../src/broker/partitioner.ts'
import { RuntimeError } from '../../src/errors/classes.ts'
import { answerHere } from '../../src/queries/answer-here.ts'
import type { PartitionAnswer } from '../../src/queries/partition-read.ts'
import { UnreachableError } from '../../src/queries/query-router.ts'
import { readEverywhere, readPage } from '../../src/queries/store-page.ts'
import { Prng } from '../../src/testing/index.ts'
import { Site } from '../runtime/fixture.ts'
import { hold } from '../runtime/hold.ts'
import { keys, open, partitions, sendRound, topology } from '../runtime/replica-rounds.ts'
import { entries, sums, sumStore } from '../runtime/summing.ts'
import { type Member, QueryFleet } from './query-fleet.ts'

const partitionOfKey = (key: string): number => partitionOf(Buffer.from(key), partitions)

const whereIs = (key: string) => ({ store: sumStore, partition: partitionOfKey(key) })

const valueOf = (answer: PartitionAnswer | undefined): unknown => answer?.rows[0]?.value

/** What a read gives, `moving` where nobody answers; time passes meanwhile. */
const settledOr = async <T>(site: Site, reading: Promise<T>): Promise<T | 'moving'> => {
  try {
    return await site.settled(reading)
  } catch (error) {
    const { code } = error as RuntimeError
    if (code === 'STREAMS_PARTITION_MOVING' || code === 'STREAMS_CLOSED') return 'moving'
    throw error
  }
}

const get = (member: Member, key: string): Promise<PartitionAnswer> =>
  member.router.read(whereIs(key), { kind: 'get', key })

const getSettled = (member: Member, key: string): Promise<PartitionAnswer | undefined> =>
  member.router.readSettled(
    whereIs(key),
    { kind: 'get', key },
    { input: { topic: entries.name, partition: partitionOfKey(key) }, withinMs: 100 },
  )

const two = async () => {
  const site = await open()
  const fleet = new QueryFleet(site)
  const first = await fleet.start('a', { topology })
  const second = await fleet.start('b', { topology })
  await site.idle()
  await sendRound(site)
  await site.idle()
  return { site, fleet, first, second }
}

test('both answer for every key, and say who has it and up to where', async () => {
  const { site, fleet, first, second } = await two()
  for (const key of keys) {
    const answers = [await site.settled(get(first, key)), await site.settled(get(second, key))]
    expect(answers[0]).toEqual(answers[1])
    const partition = partitionOfKey(key)
    const { highWatermark } = await site.broker.topics.offsets({ topic: entries.name, partition })
    expect(answers[0]).toMatchObject({
      partition,
      role: 'active',
      offsets: [{ topic: entries.name, partition, offset: highWatermark }],
      rows: [{ key, value: 1 }],
    })
  }
  expect(fleet.forwarded).toBe(keys.length) // of two answers one is at home
  const owners = await Promise.all(keys.map(async (key) => (await get(first, key)).owner))
  expect(new Set(owners)).toEqual(new Set(['a', 'b']))
})

test('a range has the rows of all instances in the order of their keys, page by page', async () => {
  const { site, first, second } = await two()
  for (const { router } of [first, second]) {
    for (const limit of [1, 5, keys.length, 100]) {
      const found: unknown[] = []
      for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined;) {
        isFirst = false
        const read = { kind: 'range', limit } as const
        const page = await site.settled(readPage(router, sumStore, read, { cursor }))
        found.push(...page.rows.map(({ key }) => key))
        expect(page.sources.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4])
        cursor = page.cursor
      }
      expect(found).toEqual(keys.toSorted())
    }
  }
})

test('a cursor goes on after every partition has moved to another instance', async () => {
  const { site, fleet, first, second } = await two()
  const read = { kind: 'range', limit: 5 } as const
  const page = await site.settled(readPage(first.router, sumStore, read))
  const third = await fleet.start('c', { topology })
  await site.settled(first.application.close())
  await site.settled(second.application.close())
  await site.idle()
  const rest = await site.settled(
    readPage(third.router, sumStore, { ...read, limit: 100 }, { cursor: page.cursor }),
  )
  expect([...page.rows, ...rest.rows].map(({ key }) => key)).toEqual(keys.toSorted())
})

test('partitions that nobody answers for are named, never left out', async () => {
  const { site, first, second, fleet } = await two()
  fleet.onForward = () => {
    throw new UnreachableError('it does not answer')
  }
  const view = first.application.view()
  const isAway = (partition: number): boolean => view.open(sumStore, partition) === undefined
  const missing = [0, 1, 2, 3, 4].filter(isAway)
  const readings = [
    () => readPage(first.router, sumStore, { kind: 'range', limit: 3 }),
    () => readEverywhere(first.router, sumStore, { kind: 'get', key: 'key-0' }),
  ]
  for (const reading of readings) {
    const error = await site.settled(reading()).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ code: 'STREAMS_PARTITION_MOVING', action: 'retry' })
    expect((error as Error).message).toContain(`partitions ${missing.join(', ')} are missing`)
    expect((error as Error).message).toContain('its owner b: it does not answer')
  }
  expect(second.isDead).toBe(false)
})

test('a question is asked once more, and not again', async () => {
  const { site, first, fleet } = await two()
  const away = keys.find(
    (key) => first.application.view().open(sumStore, partitionOfKey(key)) === undefined,
  )!
  let failures = 1
  fleet.onForward = () => {
    if (failures-- > 0) throw new UnreachableError('lost')
  }
  expect(valueOf(await site.settled(get(first, away)))).toBe(1)
  fleet.forwarded = 0
  failures = Infinity
  expect(await settledOr(site, get(first, away))).toBe('moving')
  expect(fleet.forwarded).toBe(2)
  // what is no matter of the network is not hidden by asking again
  fleet.onForward = () => {
    throw new RuntimeError('STREAMS_CONFIG', 'no such store')
  }
  await expect(site.settled(get(first, away))).rejects.toThrow('no such store')
})

test('an owner that missed a generation does not answer; no address is told as such', async () => {
  const site = await open()
  const fleet = new QueryFleet(site)
  const first = await fleet.start('a', { topology })
  await fleet.start('b', { topology, endpoint: '' })
  await site.idle()
  await sendRound(site)
  await site.idle()
  const view = first.application.view()
  const [here, away] = [true, false].map((isHere) =>
    keys.find((key) => (view.open(sumStore, partitionOfKey(key)) !== undefined) === isHere),
  ) as [string, string]
  await expect(site.settled(get(first, away))).rejects.toThrow(
    'its owner b answers no other replica',
  )
  expect(valueOf(await site.settled(get(first, here)))).toBe(1)
  const question = {
    store: sumStore.name,
    partition: partitionOfKey(here),
    read: { kind: 'get', key: here },
  } as const
  const { generationId } = view
  expect(answerHere(view, { ...question, generationId })).toHaveProperty('answer')
  expect(answerHere(view, { ...question, generationId: generationId + 1 })).toEqual({
    notHere: 'a has not joined again yet',
  })
})

describe('a settled read', () => {
  test('waits for what is processed and not applied, and gives up in time', async () => {
    const { site, first } = await two()
    const key = keys.find(
      (one) => first.application.view().open(sumStore, partitionOfKey(one)) !== undefined,
    )!
    const applying = hold()
    first.disk.beforeCommit = applying.wait
    await site.send(entries, key, 10)
    await site.until(() => applying.isReached)
    // committed, but the store does not have it yet: neither value nor offset may say so
    expect(valueOf(await site.settled(get(first, key)))).toBe(1)
    expect(await site.settled(getSettled(first, key))).toBeUndefined()
    const late = getSettled(first, key)
    await site.turn(2)
    first.disk.beforeCommit = undefined
    applying.release()
    expect(valueOf(await site.settled(late))).toBe(11)
  })

  test('is not held up by the marker at the end of a transaction', async () => {
    const site = await Site.open()
    await site.createTopics([entries, sums])
    const fleet = new QueryFleet(site)
    const only = await fleet.start('a', { topology })
    const producer = site.broker.transactionalProducer({
      transactionalId: 'another-application',
      transactionTimeoutMs: 60_000,
    })
    await producer.init()
    for (const ending of ['commit', 'abort'] as const) {
      producer.begin()
      const record = { key: Buffer.from('k'), value: Buffer.from('5'), timestampMs: 1, headers: [] }
      await producer.produce([{ topic: entries.name, partition: 0, records: [record] }])
      await producer[ending]()
      const settled = only.router.readSettled(
        { store: sumStore, partition: 0 },
        { kind: 'get', key: 'k' },
        { input: { topic: entries.name, partition: 0 }, withinMs: 2_000 },
      )
      expect(valueOf(await site.settled(settled))).toBe(5)
    }
  })
})

test('who stood still while its tasks moved cannot say that nothing is there', async () => {
  const { site, first, second } = await two()
  const view = first.application.view()
  const key = keys.find((one) => view.open(sumStore, partitionOfKey(one)) !== undefined)!
  first.connection.pause()
  const view2 = second.application.view()
  await site.until(() => view2.open(sumStore, partitionOfKey(key)) !== undefined)
  await site.send(entries, key, 10)
  await site.until(() => {
    const [row] = [...second.application.query(sumStore).range()].filter(([one]) => one === key)
    return row?.[1] === 11
  })
  expect(valueOf(await site.settled(getSettled(second, key)))).toBe(11)
  const late = await settledOr(site, getSettled(first, key))
  expect(late === 'moving' || late === undefined || valueOf(late) === 11).toBe(true)
})

describe('while instances join, leave and die', () => {
  test.each([1, 2, 3, 4])('answers are true or "not now" (seed %i)', async (seed) => {
    const prng = new Prng(seed)
    const site = await open()
    const fleet = new QueryFleet(site)
    const names = ['a', 'b', 'c', 'd']
    const sent = new Map(keys.map((key) => [key, 0]))
    const seen = { answers: 0, moving: 0 }
    const ask = async (member: Member, key: string): Promise<void> => {
      const atMost = sent.get(key)!
      const settled = await settledOr(site, getSettled(member, key))
      const plain = await settledOr(site, get(member, key))
      for (const answer of [plain, settled]) {
        if (answer === 'moving' || answer === undefined) seen.moving += 1
        else seen.answers += 1
      }
      const where = `seed ${seed}, ${key} at ${member.name}`
      if (plain !== 'moving') expect(valueOf(plain) ?? 0, where).toBeLessThanOrEqual(atMost)
      if (settled === 'moving' || settled === undefined) return
      expect(valueOf(settled) ?? 0, where).toBe(atMost)
    }
    const living = (): readonly Member[] =>
      [...fleet.members.values()].filter(
        ({ isDead, application: { state } }) => !isDead && state !== 'closed',
      )
    await fleet.start('a', { topology })
    await site.idle()
    fleet.onForward = () => {
      if (prng.chance(0.1)) throw new UnreachableError('lost')
    }
    for (let step = 0; step < 12; step++) {
      const name = names[prng.int(names.length)]!
      const known = fleet.members.get(name)
      const isHere = known !== undefined && living().includes(known)
      if (known?.application.state === 'closed') known.kill() // lets go of its disk
      if (!isHere) fleet.launch(name, { topology, ...(known && { disk: known.disk }) })
      else if (living().length > 1) {
        if (prng.chance(0.5)) known.kill()
        else void known.application.close()
      }
      for (let i = 0; i < 6; i++) {
        const key = keys[prng.int(keys.length)]!
        await site.send(entries, key, 1)
        sent.set(key, sent.get(key)! + 1)
        const members = living()
        const asked = prng.chance(0.5) ? key : keys[prng.int(keys.length)]!
        await ask(members[prng.int(members.length)]!, asked)
        await site.turn(prng.int(10))
      }
    }
    await site.idle()
    fleet.onForward = () => {}
    for (const member of living()) {
      for (const key of keys) {
        const answer = await site.settled(getSettled(member, key))
        expect(valueOf(answer) ?? 0, `seed ${seed}: ${key} at ${member.name}`).toBe(sent.get(key))
      }
    }
    expect(seen.answers, `seed ${seed}`).toBeGreaterThan(20)
  })
})
