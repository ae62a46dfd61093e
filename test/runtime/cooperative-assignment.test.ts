/** One generation as the leader makes it: nothing is given to two, the vanished are named. */

import { describe, expect, test } from 'vitest'
import type { GroupMemberMetadata } from '../../src/broker/port.ts'
import { assignCooperatively } from '../../src/runtime/cooperative-assignment.ts'
import {
  type Assignment,
  decodeAssignment,
  encodeSubscription,
  protocolVersion,
  type Subscription,
} from '../../src/runtime/group-protocol.ts'

const tasks = ['0_0', '0_1', '0_2', '0_3']

const member = (memberId: string, more: Partial<Subscription> = {}): GroupMemberMetadata => ({
  memberId,
  metadata: encodeSubscription({
    version: protocolVersion,
    oldestVersion: protocolVersion,
    instanceId: memberId,
    incarnation: `${memberId}-1`,
    endpoint: `${memberId}:4004`,
    link: `${memberId}:5005`,
    transactionalId: `app-${memberId}`,
    generationId: 1,
    ownedTasks: [],
    peers: [],
    ...more,
  }),
})

const assign = (...members: readonly GroupMemberMetadata[]): ReadonlyMap<string, Assignment> =>
  new Map(
    [...assignCooperatively(members, tasks, {})].map(([id, bytes]) => [
      id,
      decodeAssignment(bytes),
    ]),
  )

describe('a task that moves', () => {
  test('is first taken from its owner, then given to its heir', () => {
    const first = assign(member('a', { ownedTasks: tasks }), member('b'))
    expect(first.get('a')).toMatchObject({ tasks: ['0_0', '0_1'], awaitedTasks: [] })
    expect(first.get('b')).toMatchObject({ tasks: [], awaitedTasks: ['0_2', '0_3'] })
    const second = assign(member('a', { ownedTasks: ['0_0', '0_1'] }), member('b'))
    expect(second.get('a')!.tasks).toEqual(['0_0', '0_1'])
    expect(second.get('b')).toMatchObject({ tasks: ['0_2', '0_3'], awaitedTasks: [] })
  })

  test('is given at once if nobody has it', () => {
    const found = assign(member('a', { ownedTasks: ['0_0', '0_1'] }), member('b'))
    expect(found.get('b')!.tasks).toEqual(['0_2', '0_3'])
  })

  test('belongs to the claim of the later generation', () => {
    const found = assign(
      member('a', { ownedTasks: ['0_0', '0_1'], generationId: 4 }),
      member('b', { ownedTasks: ['0_1', '0_2'], generationId: 7 }),
    )
    expect(found.get('a')!.tasks).not.toContain('0_1')
    expect(found.get('b')!.tasks).toContain('0_1')
  })

  test('that the topology has no more is nobody’s', () => {
    expect(assign(member('a', { ownedTasks: ['9_9'] })).get('a')!.tasks).toEqual(tasks)
  })
})

describe('the vanished', () => {
  const peers = ['app-a', 'app-b', 'app-c']

  test('are named to the heirs of their tasks only', () => {
    const found = assign(
      member('a', { ownedTasks: ['0_0', '0_1'], peers }),
      member('b', { ownedTasks: ['0_2'], peers }),
    )
    expect(found.get('a')!.fenced).toEqual([])
    expect(found.get('b')).toMatchObject({ tasks: ['0_2', '0_3'], fenced: ['app-c'] })
  })

  test('are not those who came back under their name', () => {
    const found = assign(
      member('a', { ownedTasks: ['0_0', '0_1'], peers }),
      member('b', { ownedTasks: ['0_2'], peers }),
      member('c2', { transactionalId: 'app-c', generationId: -1 }),
    )
    for (const { fenced } of found.values()) expect(fenced).toEqual([])
  })

  test('are known to a leader that came after them', () => {
    const found = assign(member('new', { generationId: -1 }), member('old', { peers }))
    expect(found.get('new')!.fenced).toEqual(['app-a', 'app-b', 'app-c'])
  })
})

test('every member knows every other: who answers, and for what', () => {
  const [one] = [...assign(member('a'), member('b')).values()]
  expect(one!.peers).toEqual([
    {
      memberId: 'a',
      instanceId: 'a',
      isStatic: false,
      incarnation: 'a-1',
      endpoint: 'a:4004',
      link: 'a:5005',
      transactionalId: 'app-a',
      tasks: ['0_0', '0_1'],
    },
    expect.objectContaining({ memberId: 'b', tasks: ['0_2', '0_3'] }),
  ])
})

describe('a rolling upgrade', () => {
  test('a newer member that understands this version takes part', () => {
    const newer = member('b', { version: protocolVersion + 1 })
    expect(assign(member('a'), newer).get('b')!.tasks).toEqual(['0_2', '0_3'])
  })

  test('a member that says no endpoint takes part; that it has none is told', () => {
    const { metadata } = member('b')
    const { endpoint: _, ...said } = JSON.parse(Buffer.from(metadata).toString()) as Subscription
    const silent = { memberId: 'b', metadata: Buffer.from(JSON.stringify(said)) }
    const { peers } = assign(member('a'), silent).get('a')!
    expect(peers.map(({ endpoint }) => endpoint)).toEqual(['a:4004', ''])
    const older = { version: protocolVersion, tasks, peers: [{ memberId: 'b' }] }
    const [peer] = decodeAssignment(Buffer.from(JSON.stringify(older))).peers
    expect(peer!.endpoint).toBe('')
  })

  test.each([
    ['newer', member('b', { version: 9, oldestVersion: 9 }), 'upgrade the others first'],
    ['older', member('b', { version: 1 }), 'upgrade it'],
    ['foreign', { memberId: 'b', metadata: Buffer.from('\0') }, 'not of this'],
    [
      'incomplete',
      { memberId: 'b', metadata: Buffer.from('{"version":2,"oldestVersion":2}') },
      'lacks',
    ],
  ])('a %s member is refused with the reason; the others share', (_kind, other, reason) => {
    const answers = assignCooperatively([member('a'), other], tasks, {})
    expect(decodeAssignment(answers.get('a')!).tasks).toEqual(tasks)
    expect(() => decodeAssignment(answers.get('b')!)).toThrow(reason)
  })

  test('an assignment of another version is refused: the leader must be upgraded', () => {
    expect(() => decodeAssignment(Buffer.from('{"version":1,"tasks":[]}'))).toThrow(
      'the leader of the group speaks protocol 1',
    )
    expect(() => decodeAssignment(new Uint8Array(0))).toThrow('speaks protocol unknown')
  })
})
