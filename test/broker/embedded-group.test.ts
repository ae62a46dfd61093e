/** What only the embedded broker promises of groups: speed, and one turn of simultaneous joins. */

import { describe, expect, it } from 'vitest'
import type { JoinRequest } from '../../src/broker/port.ts'
import { codeOf } from '../contract/broker/probe.ts'
import { EmbeddedHarness, memorySource, turns } from './embedded-harness.ts'

const requestOf = (name: string, more?: Partial<JoinRequest>): JoinRequest => ({
  groupId: 'group',
  memberId: '',
  sessionTimeoutMs: 6000,
  metadata: Buffer.from(name),
  assign: (members) => new Map(members.map(({ memberId, metadata }) => [memberId, metadata])),
  ...more,
})

describe('embedded groups', () => {
  it('a single member joins without any timer', async () => {
    const harness = await EmbeddedHarness.open(memorySource())
    const joined = await harness.embedded.groups.join(requestOf('a'))
    expect(Buffer.from(joined.assignment).toString()).toBe('a')
    await harness.dispose()
  })

  it('members that join in one turn are in one generation', async () => {
    const harness = await EmbeddedHarness.open(memorySource())
    const { groups } = harness.embedded
    const joined = await Promise.all(['a', 'b', 'c'].map((name) => groups.join(requestOf(name))))
    expect(joined.map(({ generationId }) => generationId)).toEqual([1, 1, 1])
    await harness.dispose()
  })

  it('a member that never joins again is removed by the rebalance time-out', async () => {
    const harness = await EmbeddedHarness.open(memorySource(), { rebalanceTimeoutMs: 3000 })
    const { groups } = harness.embedded
    const lazy = await groups.join(requestOf('lazy'))
    const joining = groups.join(requestOf('eager'))
    for (let i = 0; i < 4; i++) {
      await harness.passTime(700)
      expect(await groups.heartbeat(lazy)).toBe('rebalancing')
    }
    await harness.passTime(300)
    expect(Buffer.from((await joining).assignment).toString()).toBe('eager')
    expect(await codeOf(groups.heartbeat(lazy))).toBe('BROKER_UNKNOWN_MEMBER')
    await harness.dispose()
  })

  it('an assignor that throws fails the leader only', async () => {
    const harness = await EmbeddedHarness.open(memorySource())
    const { groups } = harness.embedded
    const broken = groups.join(
      requestOf('broken', {
        assign: () => {
          throw new Error('assignor bug')
        },
      }),
    )
    const other = groups.join(requestOf('other'))
    await expect(broken).rejects.toThrow('assignor bug')
    expect(Buffer.from((await other).assignment).toString()).toBe('other')
    await harness.dispose()
  })

  it('whoever waits is told when the broker is killed', async () => {
    const harness = await EmbeddedHarness.open(memorySource())
    const { groups } = harness.embedded
    await groups.join(requestOf('a'))
    const waiting = codeOf(groups.join(requestOf('b')))
    await turns()
    harness.embedded.kill()
    expect(await waiting).toBe('BROKER_CLOSED')
    await harness.restart()
    await harness.dispose()
  })
})
