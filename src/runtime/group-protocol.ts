/**
 * What members of the group tell the leader, and what the leader tells them: JSON with a version.
 *
 * 1. A member says which version it speaks and which is the oldest it understands; the leader
 * assigns with the newest that all understand, so a rolling upgrade needs no stop. 2. A member that
 * no common version is left for is refused, in words; the others go on. 3. Fields are added, never
 * given another meaning. Version 1 (before 0.2) closed all tasks at every rebalance; it was never
 * released and is refused.
 */

import { RuntimeError } from '../errors/classes.ts'
import type { SourcePlaces } from './task-meaning.ts'

export const protocolVersion = 2

export interface Subscription {
  readonly version: number
  /** The oldest version of an assignment that this member acts on. */
  readonly oldestVersion: number
  /** Stable over restarts. */
  readonly instanceId: string
  /** The broker keeps its place under that id while it is away; absent: it does not. */
  readonly isStatic?: boolean
  /** Random per process: tells a restarted instance from its former life. */
  readonly incarnation: string
  /** `host:port` that answers the queries of other members; empty if there is none. */
  readonly endpoint: string
  /** `host:port` at which the others see whether it lives; empty if there is none. */
  readonly link: string
  readonly transactionalId: string
  /** Of the last generation that assigned tasks to this member; −1 if none did. */
  readonly generationId: number
  /** Tasks it runs or opens: nobody else may have them before it says that they are gone. */
  readonly ownedTasks: readonly string[]
  /** What its task ids mean: the sub-topology of each source, by the topic's name in the plan. */
  readonly sources?: SourcePlaces
  /** Transactional ids of that generation, its own too: who is absent now, has vanished. */
  readonly peers: readonly string[]
}

/** A member as the others know it. */
export type Peer = Pick<
  Subscription,
  'instanceId' | 'isStatic' | 'incarnation' | 'endpoint' | 'link' | 'transactionalId'
> & {
  readonly memberId: string
  readonly tasks: readonly string[]
}

export interface Assignment {
  readonly version: number
  readonly tasks: readonly string[]
  /** Tasks that come in a later generation, when their owners have given them up. */
  readonly awaitedTasks: readonly string[]
  /** Some member awaits tasks: another generation comes as soon as they are given up. */
  readonly isFollowed: boolean
  /** Transactional ids of vanished members, to be fenced before new tasks are opened. */
  readonly fenced: readonly string[]
  /** Everyone in the generation, this member too. */
  readonly peers: readonly Peer[]
  /** What these task ids mean: a static member may come back as another version, unasked. */
  readonly sources?: SourcePlaces
  /** Why this member gets nothing, ever. */
  readonly refusal?: string
}

export const encodeSubscription = (subscription: Subscription): Uint8Array =>
  Buffer.from(JSON.stringify(subscription))

export const encodeAssignment = (assignment: Assignment): Uint8Array =>
  Buffer.from(JSON.stringify(assignment))

/** @returns the reason instead, if the leader of this version cannot serve such a member */
export const decodeSubscription = (bytes: Uint8Array): Subscription | string => {
  const { version, oldestVersion, ...rest } = parse(bytes)
  if (typeof version !== 'number') return 'its metadata is not of this application runner'
  if (version < protocolVersion) {
    return `it speaks group protocol ${version}, the leader ${protocolVersion}: upgrade it`
  }
  if (typeof oldestVersion !== 'number' || oldestVersion > protocolVersion) {
    return (
      `it speaks group protocol ${version} and understands ${String(oldestVersion)} on, `
      + `the leader ${protocolVersion}: upgrade the others first`
    )
  }
  const { ownedTasks, peers, transactionalId } = rest
  const isWhole = Array.isArray(ownedTasks) && Array.isArray(peers) && Boolean(transactionalId)
  if (!isWhole) return 'its metadata lacks what every member must say'
  const silent = { endpoint: '', link: '' } // what members of before may leave out
  return { ...silent, ...(rest as unknown as Subscription), version, oldestVersion }
}

/** @throws {RuntimeError} STREAMS_CONFIG: the leader refuses this member, with the reason */
export const decodeAssignment = (bytes: Uint8Array): Assignment => {
  const assignment = parse(bytes) as Partial<Assignment>
  if (assignment.refusal !== undefined) throw refusedMember(assignment.refusal)
  const {
    version,
    tasks,
    awaitedTasks = [],
    isFollowed = false,
    fenced = [],
    peers = [],
    sources = {},
  } = assignment
  if (version === protocolVersion && tasks !== undefined) {
    const reachable = peers.map((peer) => ({ ...peer, endpoint: peer.endpoint ?? '' }))
    return { version, tasks, awaitedTasks, isFollowed, fenced, peers: reachable, sources }
  }
  throw new RuntimeError(
    'STREAMS_CONFIG',
    `the leader of the group speaks protocol ${version ?? 'unknown'}, this member `
      + `${protocolVersion}: upgrade the leader, or stop it first`,
  )
}

/** What whoever joined as a member of the wrong kind stops with. */
export const refusedMember = (reason: string): RuntimeError =>
  new RuntimeError('STREAMS_CONFIG', `the group refuses this member: ${reason}`)

const parse = (bytes: Uint8Array): Partial<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString())
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}
