/**
 * One generation, as the leader makes it: who runs what, who waits for what, whom to fence.
 *
 * Two steps, as in KIP-429: a task that moves is first taken from its owner, and given to its heir
 * in the generation after the owner said that it is gone; so nobody stops for a task that stays.
 * 1. A task that a member claims is given to that member or to nobody. 2. Of two claims the one
 * from the later generation counts: the other member has missed something. 3. Members that were
 * in a former generation and are absent now are named to those who inherit unclaimed tasks.
 */

import type { GroupMemberMetadata } from '../broker/port.ts'
import { assignTasks } from './assignor.ts'
import {
  type Assignment,
  decodeSubscription,
  encodeAssignment,
  type Peer,
  protocolVersion,
  type Subscription,
} from './group-protocol.ts'
import { type SourcePlaces, unsharedReason } from './task-meaning.ts'

interface Member extends Subscription {
  readonly memberId: string
}

/**
 * @param sources  what the leader's task ids mean; who means something else gets none
 * @returns what each member is told, encoded
 */
export const assignCooperatively = (
  members: readonly GroupMemberMetadata[],
  tasks: readonly string[],
  sources: SourcePlaces,
): ReadonlyMap<string, Uint8Array> => {
  const known: Member[] = []
  const answers = new Map<string, Uint8Array>()
  for (const { memberId, metadata } of members) {
    const subscription = decodeSubscription(metadata)
    const refusal =
      typeof subscription === 'string'
        ? subscription
        : unsharedReason(sources, subscription.sources)
    if (refusal !== undefined) answers.set(memberId, refused(refusal))
    else known.push({ memberId, ...(subscription as Subscription) })
  }
  if (known.length === 0) return answers
  for (const [memberId, assignment] of generationOf(known, tasks)) {
    answers.set(memberId, encodeAssignment({ ...assignment, sources }))
  }
  return answers
}

const generationOf = (
  members: readonly Member[],
  tasks: readonly string[],
): ReadonlyMap<string, Assignment> => {
  const claims = claimsOf(members, new Set(tasks))
  const target = assignTasks(
    members.map(({ memberId }) => ({
      memberId,
      ownedTasks: tasks.filter((task) => claims.get(task) === memberId),
    })),
    tasks,
  )
  const vanished = vanishedOf(members)
  const peers = members.map(({ memberId, ...subscription }): Peer => {
    const { instanceId, isStatic = false, incarnation, endpoint, link } = subscription
    const { transactionalId } = subscription
    const known = { instanceId, isStatic, incarnation, endpoint, link, transactionalId }
    const wanted = target.get(memberId)!
    const given = wanted.filter((task) => (claims.get(task) ?? memberId) === memberId)
    return { memberId, ...known, tasks: given }
  })
  const isFollowed = peers.some(({ memberId, tasks: { length } }) => {
    return length < target.get(memberId)!.length
  })
  return new Map(
    peers.map(({ memberId, tasks: given }) => {
      const isHeir = given.some((task) => !claims.has(task))
      const awaitedTasks = target.get(memberId)!.filter((task) => !given.includes(task))
      const fenced = isHeir ? vanished : []
      return [
        memberId,
        { version: protocolVersion, tasks: given, awaitedTasks, isFollowed, fenced, peers },
      ]
    }),
  )
}

/** Task → the member that has it. */
const claimsOf = (
  members: readonly Member[],
  tasks: ReadonlySet<string>,
): ReadonlyMap<string, string> => {
  const claims = new Map<string, Member>()
  for (const member of members) {
    for (const task of member.ownedTasks) {
      const rival = claims.get(task)
      if (!tasks.has(task) || (rival?.generationId ?? -Infinity) > member.generationId) continue
      claims.set(task, member)
    }
  }
  return new Map([...claims].map(([task, { memberId }]) => [task, memberId]))
}

const vanishedOf = (members: readonly Member[]): readonly string[] => {
  const present = new Set(members.map(({ transactionalId }) => transactionalId))
  const known = new Set(members.flatMap(({ peers }) => peers))
  return [...known].filter((id) => !present.has(id)).sort()
}

const refused = (refusal: string): Uint8Array =>
  encodeAssignment({
    refusal,
    version: protocolVersion,
    tasks: [],
    awaitedTasks: [],
    isFollowed: false,
    fenced: [],
    peers: [],
  })
