/** The leader of a classic group: it assigns, and gives its place up when it cannot. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GroupMemberMetadata } from '../../src/broker/port.ts'
import { KafkaHarness } from './kafka-harness.ts'
import { realKafka } from './real-kafka.ts'

const kafka = await realKafka()

const firstOnly = (members: readonly GroupMemberMetadata[]): Map<string, Uint8Array> =>
  new Map([[members[0]!.memberId, Buffer.from('all')]])

describe.skipIf('skipped' in kafka)('classic leader', () => {
  let harness: KafkaHarness

  beforeAll(() => {
    harness = new KafkaHarness({ bootstrap: 'skipped' in kafka ? '' : kafka.bootstrap })
  })

  afterAll(() => harness.dispose())

  const request = (groupId: string, assign: typeof firstOnly) => ({
    groupId,
    memberId: '',
    sessionTimeoutMs: 6_000,
    metadata: Buffer.from('m'),
    assign,
  })

  it('leaves when its assign throws, so that the next member leads', async () => {
    const { groups } = await harness.broker()
    const groupId = harness.uniqueName('group')
    const failing = groups.join(
      request(groupId, () => {
        throw new RangeError('no such task')
      }),
    )
    await expect(failing).rejects.toThrow('no such task')
    const startedMs = performance.now()
    const joined = await groups.join(request(groupId, firstOnly))
    expect(Buffer.from(joined.assignment).toString()).toBe('all')
    // not after the session of the one that failed
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    await groups.leave(joined)
  })

  it('gives nothing to a member that it leaves out', async () => {
    const { groups } = await harness.broker()
    const groupId = harness.uniqueName('group')
    const joined = await groups.join(request(groupId, () => new Map()))
    expect(joined.assignment).toHaveLength(0)
    await groups.leave(joined)
  })

  it('is refused with a session that the broker does not allow, in one sentence', async () => {
    const { groups } = await harness.broker()
    const joining = groups.join({
      ...request(harness.uniqueName('group'), firstOnly),
      sessionTimeoutMs: 10,
    })
    await expect(joining).rejects.toMatchObject({ code: 'BROKER_INVALID_REQUEST' })
    await expect(joining).rejects.toThrow('group.min.session.timeout.ms')
  })
})
