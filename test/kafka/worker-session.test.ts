/**
 * Goal: a membership outlives a main thread that is busy for longer than its session, but not for
 * ever. Method: a real group; this thread blocks; another client asks the coordinator.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import type {
  Broker,
  GroupMemberMetadata,
  GroupSession,
  GroupSessionOptions,
  JoinRequest,
} from '../../src/broker/port.ts'
import { codeOf, eventually } from '../contract/broker/probe.ts'
import { KafkaHarness } from './kafka-harness.ts'
import { realKafka } from './real-kafka.ts'

const kafka = await realKafka()
const sessionTimeoutMs = 6_000

/** Longer than the session: without a thread of its own the member would be removed. */
const block = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const everyone = (members: readonly GroupMemberMetadata[]): Map<string, Uint8Array> =>
  new Map(members.map(({ memberId }) => [memberId, Buffer.from(`1 of ${members.length}`)]))

describe.skipIf('skipped' in kafka)('a membership in a thread', () => {
  let harness: KafkaHarness
  let broker: Broker

  beforeAll(async () => {
    harness = new KafkaHarness({ bootstrap: 'skipped' in kafka ? '' : kafka.bootstrap })
    broker = await harness.broker()
  })

  afterAll(() => harness.dispose())

  const open = (more: Partial<GroupSessionOptions> = {}) => {
    const told = { rebalances: 0, losses: [] as Error[] }
    const session: GroupSession = broker.groups.session!({
      heartbeatIntervalMs: 300,
      maxStallMs: 60_000,
      incarnation: 'one',
      linkHost: '127.0.0.1',
      onRebalance: () => (told.rebalances += 1),
      onLost: (error) => told.losses.push(error),
      ...more,
    })
    onTestFinished(() => session.close())
    return { session, told }
  }

  const request = (groupId: string, more: Partial<JoinRequest> = {}): JoinRequest => ({
    groupId,
    memberId: '',
    sessionTimeoutMs,
    metadata: Buffer.from('m'),
    assign: everyone,
    ...more,
  })

  it('joins, hears of a rebalance, joins again, leaves', async () => {
    const { session, told } = open()
    const groupId = harness.uniqueName('group')
    const alone = await session.join(request(groupId))
    expect(Buffer.from(alone.assignment).toString()).toBe('1 of 1')
    const joining = broker.groups.join(request(groupId))
    await eventually(async () => expect(told.rebalances).toBeGreaterThan(0))
    const both = await session.join(request(groupId, { memberId: alone.memberId }))
    expect(Buffer.from(both.assignment).toString()).toBe('1 of 2')
    // who leaves before the other has its assignment makes it join again, unseen: then it is stable
    const other = await joining
    expect(Buffer.from(other.assignment).toString()).toBe('1 of 2')
    await session.leave(both)
    await eventually(async () => {
      expect(await broker.groups.heartbeat(other)).toBe('rebalancing')
    })
    expect(told.losses).toEqual([])
  })

  it('outlives a main thread that is busy for longer than the session', async () => {
    const { session, told } = open()
    const joined = await session.join(request(harness.uniqueName('group')))
    block(sessionTimeoutMs + 2_000)
    expect(await broker.groups.heartbeat(joined)).toBe('stable')
    expect(told).toEqual({ rebalances: 0, losses: [] })
  }, 30_000)

  it('outlives it between the join and the assignment too, as the leader', async () => {
    const { session, told } = open()
    const assign: JoinRequest['assign'] = (members) => {
      block(sessionTimeoutMs + 2_000)
      return everyone(members)
    }
    const joined = await session.join(request(harness.uniqueName('group'), { assign }))
    expect(Buffer.from(joined.assignment).toString()).toBe('1 of 1')
    expect(await broker.groups.heartbeat(joined)).toBe('stable')
    expect(told.losses).toEqual([])
  }, 30_000)

  it.each([
    ['joins for the first time', true],
    ['joins again', false],
  ])(
    'removes at once who dies while it %s',
    async (_when, isNew) => {
      const [dying, living] = [open({ incarnation: 'a' }), open({ incarnation: 'b' })]
      const groupId = harness.uniqueName('group')
      const long = { sessionTimeoutMs: 300_000 }
      const link = await dying.session.link()
      const first = await dying.session.join(request(groupId, long))
      await living.session.link()
      const peer = { memberId: first.memberId, instanceId: 'a', incarnation: 'a', link }
      let memberId = ''
      if (isNew) living.session.watch({ groupId, memberId, generationId: -1 }, [peer])
      else {
        const joining = living.session.join(request(groupId, long))
        await eventually(async () => expect(dying.told.rebalances).toBeGreaterThan(0))
        await dying.session.join(request(groupId, { ...long, memberId: first.memberId }))
        const joined = await joining
        living.session.watch(joined, [peer])
        memberId = joined.memberId
      }
      await sleep(1_500) // the link is there
      const metadata = Buffer.from('n') // or it would be in without a new generation
      const joining = living.session.join(request(groupId, { ...long, memberId, metadata }))
      await sleep(300)
      dying.session.close() // without a word, as kill -9
      const alone = await Promise.race([joining, sleep(15_000)])
      expect(Buffer.from(alone?.assignment ?? '').toString()).toBe('1 of 1')
    },
    40_000,
  )

  it('leaves when the main thread stands still for too long, and says so', async () => {
    const { session, told } = open({ maxStallMs: 1_500 })
    const joined = await session.join(request(harness.uniqueName('group')))
    block(3_500)
    expect(await codeOf(broker.groups.heartbeat(joined))).toBe('BROKER_UNKNOWN_MEMBER')
    await eventually(async () => expect(told.losses).toHaveLength(1))
    expect(told.losses[0]).toMatchObject({ code: 'BROKER_UNKNOWN_MEMBER', action: 'rejoin' })
    expect(told.losses[0]!.message).toContain('stood still for 1500 ms')
  }, 30_000)

  it('tells of its removal once, and can join anew', async () => {
    const { session, told } = open()
    const groupId = harness.uniqueName('group')
    const joined = await session.join(request(groupId))
    await broker.groups.leave(joined)
    await eventually(async () => expect(told.losses).toHaveLength(1))
    expect(told.losses[0]).toMatchObject({ code: 'BROKER_UNKNOWN_MEMBER' })
    const again = await session.join(request(groupId))
    expect(again.memberId).not.toBe(joined.memberId)
  })

  it('is lost when its thread dies, and the next join starts another', async () => {
    const posts = vi.spyOn(Worker.prototype, 'postMessage')
    const { session, told } = open()
    const groupId = harness.uniqueName('group')
    await session.join(request(groupId))
    const thread = posts.mock.contexts.at(-1) as Worker
    posts.mockRestore()
    const waiting = codeOf(session.join(request(groupId, { memberId: 'nobody' })))
    await thread.terminate()
    expect(await waiting).toBe('BROKER_UNKNOWN_MEMBER')
    await eventually(async () => expect(told.losses).toHaveLength(1))
    expect(told.losses[0]!.message).toContain('the membership thread died')
    const joined = await session.join(request(harness.uniqueName('group')))
    expect(await broker.groups.heartbeat(joined)).toBe('stable')
  })

  it('fails with what its assignor threw, and leaves the lead to others', async () => {
    const { session } = open()
    const groupId = harness.uniqueName('group')
    const failing = session.join(
      request(groupId, {
        assign: () => {
          throw new RangeError('no such task')
        },
      }),
    )
    await expect(failing).rejects.toThrow(RangeError)
    const other = await broker.groups.join(request(groupId))
    expect(Buffer.from(other.assignment).toString()).toBe('1 of 1')
  })

  it('is refused with the code of the refusal', async () => {
    const { session } = open()
    const joining = session.join(request(harness.uniqueName('group'), { sessionTimeoutMs: 10 }))
    await expect(joining).rejects.toMatchObject({ code: 'BROKER_INVALID_REQUEST', action: 'stop' })
  })

  it('is not offered where its options cannot be sent to a thread', async () => {
    const unsendable = new KafkaHarness({
      bootstrap: 'skipped' in kafka ? '' : kafka.bootstrap,
      clock: { ...(await import('../../src/clock.ts')).systemClock },
    })
    onTestFinished(() => unsendable.dispose())
    expect((await unsendable.broker()).groups.session).toBeUndefined()
  })

  it('ends with its broker, and answers nothing any more', async () => {
    const own = await harness.broker()
    const session = own.groups.session!({
      heartbeatIntervalMs: 300,
      maxStallMs: 60_000,
      incarnation: 'one',
      linkHost: '127.0.0.1',
      onRebalance: () => {},
      onLost: () => {},
    })
    await own.close()
    expect(await codeOf(session.join(request(harness.uniqueName('group'))))).toBe('BROKER_CLOSED')
  })
})
