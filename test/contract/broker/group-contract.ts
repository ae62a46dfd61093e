/** Groups: who is in, which generation it is, and who is told what to do. */

import { describe, expect, it } from 'vitest'
import type {
  Broker,
  GroupMemberMetadata,
  JoinedGeneration,
  JoinRequest,
} from '../../../src/broker/port.ts'
import type { CurrentCluster } from './harness.ts'
import { codeOf, errorOf, eventually, offsetOf } from './probe.ts'

const sessionTimeoutMs = 6_000

/** Tells every member who is in the generation: `a,b for a`. */
const roster = (members: readonly GroupMemberMetadata[]): Map<string, Uint8Array> => {
  const nameOf = ({ metadata }: GroupMemberMetadata) => Buffer.from(metadata).toString()
  const all = members.map(nameOf).sort().join(',')
  return new Map(
    members.map((member) => [member.memberId, Buffer.from(`${all} for ${nameOf(member)}`)]),
  )
}

const requestOf = (groupId: string, name: string, more?: Partial<JoinRequest>): JoinRequest => ({
  groupId,
  memberId: '',
  sessionTimeoutMs,
  metadata: Buffer.from(name),
  assign: roster,
  ...more,
})

const taskOf = ({ assignment }: JoinedGeneration): string => Buffer.from(assignment).toString()

/** Both members in one generation; `b` came second. */
const joinBoth = async (broker: Broker, groupId: string) => {
  const first = await broker.groups.join(requestOf(groupId, 'a'))
  const joining = broker.groups.join(requestOf(groupId, 'b'))
  await eventually(async () => {
    expect(await broker.groups.heartbeat(first)).toBe('rebalancing')
  })
  const a = await broker.groups.join(requestOf(groupId, 'a', { memberId: first.memberId }))
  return { first, a, b: await joining }
}

export const groupContract = (current: CurrentCluster): void => {
  membership(current)
  departures(current)
  staticMembers(current)
}

const membership = (current: CurrentCluster): void =>
  void describe('group', () => {
    it('a first member gets its own assignment', async () => {
      const { broker } = current()
      const joined = await broker.groups.join(requestOf(current().name('group'), 'a'))
      expect(taskOf(joined)).toBe('a for a')
      expect(joined.memberId).not.toBe('')
      expect(await broker.groups.heartbeat(joined)).toBe('stable')
      await broker.groups.leave(joined)
    })

    it('a second member brings a rebalance; both are in the next generation', async () => {
      const { broker } = current()
      const { first, a, b } = await joinBoth(broker, current().name('group'))
      expect([taskOf(a), taskOf(b)]).toEqual(['a,b for a', 'a,b for b'])
      expect(a.memberId).toBe(first.memberId)
      expect(b.generationId).toBe(a.generationId)
      expect(a.generationId).toBeGreaterThan(first.generationId)
      expect(await broker.groups.heartbeat(a)).toBe('stable')
      expect(await codeOf(broker.groups.heartbeat(first))).toBe('BROKER_FENCED')
    })

    it('new metadata of a member brings a rebalance', async () => {
      const { broker } = current()
      const groupId = current().name('group')
      const { a, b } = await joinBoth(broker, groupId)
      const joining = broker.groups.join(requestOf(groupId, 'b2', { memberId: b.memberId }))
      await eventually(async () => {
        expect(await broker.groups.heartbeat(a)).toBe('rebalancing')
      })
      const again = await broker.groups.join(requestOf(groupId, 'a', { memberId: a.memberId }))
      expect(taskOf(again)).toBe('a,b2 for a')
      expect(taskOf(await joining)).toBe('a,b2 for b2')
    })

    it('joining again without news keeps a follower in its generation', async () => {
      const { broker } = current()
      const groupId = current().name('group')
      const { a, b } = await joinBoth(broker, groupId)
      const again = await broker.groups.join(requestOf(groupId, 'b', { memberId: b.memberId }))
      expect(again).toMatchObject({ memberId: b.memberId, generationId: b.generationId })
      expect(await broker.groups.heartbeat(a)).toBe('stable')
    })

    it('an unknown member must join anew', async () => {
      const { broker } = current()
      const groupId = current().name('group')
      const member = { groupId, memberId: 'nobody', generationId: 1 }
      expect(await codeOf(broker.groups.heartbeat(member))).toBe('BROKER_UNKNOWN_MEMBER')
      const joining = broker.groups.join(requestOf(groupId, 'a', { memberId: 'nobody' }))
      expect(await codeOf(joining)).toBe('BROKER_UNKNOWN_MEMBER')
    })
  })

const departures = (current: CurrentCluster): void =>
  void describe('departures', () => {
    it('a member that leaves is gone in the next generation', async () => {
      const { broker } = current()
      const groupId = current().name('group')
      const { a, b } = await joinBoth(broker, groupId)
      await broker.groups.leave(b)
      expect(await codeOf(broker.groups.heartbeat(b))).toBe('BROKER_UNKNOWN_MEMBER')
      await eventually(async () => {
        expect(await broker.groups.heartbeat(a)).toBe('rebalancing')
      })
      const alone = await broker.groups.join(requestOf(groupId, 'a', { memberId: a.memberId }))
      expect(taskOf(alone)).toBe('a for a')
    })

    it('the leader may leave: another member assigns', async () => {
      const { broker } = current()
      const groupId = current().name('group')
      const { a, b } = await joinBoth(broker, groupId)
      await broker.groups.leave(a)
      await eventually(async () => {
        expect(await broker.groups.heartbeat(b)).toBe('rebalancing')
      })
      const alone = await broker.groups.join(requestOf(groupId, 'b', { memberId: b.memberId }))
      expect(taskOf(alone)).toBe('b for b')
    })

    it('a silent member is removed after its session time-out, one that beats stays', async () => {
      const { broker, harness } = current()
      const groupId = current().name('group')
      const { a, b } = await joinBoth(broker, groupId)
      let answer = await broker.groups.heartbeat(a)
      for (let passedMs = 0; passedMs < sessionTimeoutMs - 1000; passedMs += 1000) {
        await harness.passTime(1000)
        answer = await broker.groups.heartbeat(a)
        expect(answer).toBe('stable')
      }
      await eventually(async () => {
        await harness.passTime(500)
        expect(await broker.groups.heartbeat(a)).toBe('rebalancing')
      })
      const alone = await broker.groups.join(requestOf(groupId, 'a', { memberId: a.memberId }))
      expect(taskOf(alone)).toBe('a for a')
      expect(await codeOf(broker.groups.heartbeat(b))).toBe('BROKER_UNKNOWN_MEMBER')
    })
  })

/** Two static members in one generation. */
const joinStatic = async (broker: Broker, groupId: string) => {
  const first = await broker.groups.join(requestOf(groupId, 'a', { instanceId: 'one' }))
  const joining = broker.groups.join(requestOf(groupId, 'b', { instanceId: 'two' }))
  await eventually(async () => {
    expect(await broker.groups.heartbeat(first)).toBe('rebalancing')
  })
  const { memberId } = first
  const a = await broker.groups.join(requestOf(groupId, 'a', { instanceId: 'one', memberId }))
  return { a, b: await joining }
}

const staticMembers = (current: CurrentCluster): void =>
  void describe('static members', () => {
    it('come back to their assignment without a rebalance; the old id is fenced', async () => {
      const { broker } = current()
      const groupId = current().name('group')
      const { a, b } = await joinStatic(broker, groupId)
      expect([a.instanceId, b.instanceId]).toEqual(['one', 'two'])
      const back = await broker.groups.join(requestOf(groupId, 'b', { instanceId: 'two' }))
      expect(taskOf(back)).toBe(taskOf(b))
      expect(back.generationId).toBe(b.generationId)
      expect(await broker.groups.heartbeat(a)).toBe('stable')
      expect(await broker.groups.heartbeat(back)).toBe('stable')
      const fenced = await errorOf(broker.groups.heartbeat(b))
      expect(fenced).toMatchObject({ code: 'BROKER_INSTANCE_FENCED', action: 'stop' })
      expect(fenced.message).toContain('two')
    })

    it('the leader comes back so too, with metadata of its own start', async () => {
      const { broker } = current()
      const groupId = current().name('group')
      const { a, b } = await joinStatic(broker, groupId)
      const back = await broker.groups.join(requestOf(groupId, 'a anew', { instanceId: 'one' }))
      expect([taskOf(back), back.generationId]).toEqual([taskOf(a), a.generationId])
      expect(await broker.groups.heartbeat(b)).toBe('stable')
    })

    it('who was replaced can do nothing any more: not join, not commit, not remove', async () => {
      const { broker, probe } = current()
      const groupId = current().name('group')
      const { b } = await joinStatic(broker, groupId)
      const back = await broker.groups.join(requestOf(groupId, 'b', { instanceId: 'two' }))
      const { memberId } = b
      const again = broker.groups.join(requestOf(groupId, 'b', { instanceId: 'two', memberId }))
      expect(await codeOf(again)).toBe('BROKER_INSTANCE_FENCED')
      expect(await codeOf(broker.groups.leave(b))).toBe('BROKER_INSTANCE_FENCED')
      const topic = await probe.create(current().name('orders'))
      const producer = await probe.transactional(current().name('tx'))
      producer.begin()
      const sent = producer.sendOffsets([offsetOf(topic, 0, 1n)], b)
      expect(await codeOf(sent)).toBe('BROKER_INSTANCE_FENCED')
      await producer.abort()
      producer.begin()
      await producer.sendOffsets([offsetOf(topic, 0, 2n)], back)
      await producer.commit()
      await eventually(async () => expect(await probe.committed(groupId, topic)).toBe(2n))
    })

    it('are removed by another member, by both their ids', async () => {
      const { broker } = current()
      const groupId = current().name('group')
      const { a, b } = await joinStatic(broker, groupId)
      await broker.groups.leave(b)
      await eventually(async () => {
        expect(await broker.groups.heartbeat(a)).toBe('rebalancing')
      })
      const { memberId } = a
      const alone = await broker.groups.join(
        requestOf(groupId, 'a', { instanceId: 'one', memberId }),
      )
      expect(taskOf(alone)).toBe('a for a')
      expect(await codeOf(broker.groups.heartbeat(b))).toBe('BROKER_UNKNOWN_MEMBER')
    })

    it('that do not come back are removed when their session ends', async () => {
      const { broker, harness } = current()
      const groupId = current().name('group')
      const { a } = await joinStatic(broker, groupId)
      for (let passedMs = 0; passedMs < sessionTimeoutMs - 1000; passedMs += 1000) {
        await harness.passTime(1000)
        expect(await broker.groups.heartbeat(a)).toBe('stable')
      }
      await eventually(async () => {
        await harness.passTime(500)
        expect(await broker.groups.heartbeat(a)).toBe('rebalancing')
      })
    })
  })
