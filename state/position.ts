/**
 * How far a store has applied its changelog partition, and whether it may go on from there.
 *
 * Written in the same atomic batch as the rows (key: `positionKey`), judged when a task opens.
 * A position is never trusted blindly: a store that resumes at a wrong place is wrong for ever,
 * one that is rebuilt only costs time.
 */

import { StoreMismatchError } from './errors.ts'

export interface Position {
  readonly clusterId: string
  readonly topicId: string
  /** Of the last record applied. */
  readonly leaderEpoch: number
  /** The next offset to apply; markers of transactions count. */
  readonly offset: bigint
  /** Wall-clock time of the batch that holds it. */
  readonly appliedAtMs: number
}

/** What the cluster says about the changelog partition now. */
export interface ChangelogFacts {
  readonly clusterId: string
  readonly topicId: string
  readonly leaderEpoch?: number
  /** Where the epoch of the stored position ended, if the cluster can tell. */
  readonly epochEndOffset?: bigint
  readonly logStartOffset: bigint
  readonly highWatermark: bigint
  /** How long a delete stays in the changelog before compaction removes it. */
  readonly deleteRetentionMs: number
  readonly nowMs: number
  /** Taken off the retention: clock differences, and the time the restore itself takes. */
  readonly marginMs: number
}

export type PositionVerdict =
  /** Go on at the position. */
  | { readonly verdict: 'resume' }
  /** Nothing is stored: apply the changelog from its start. */
  | { readonly verdict: 'restoreFromStart' }
  /** Delete the rows, then apply the changelog from its start. */
  | {
      readonly verdict: 'wipe'
      readonly reason: string
      /** The store has what the changelog lost: an owner of both may rather be asked first. */
      readonly isAhead: boolean
    }
  /** Stop: somebody has to decide. */
  | { readonly verdict: 'refuse'; readonly reason: string }

export const judgePosition = (
  position: Position | undefined,
  facts: ChangelogFacts,
): PositionVerdict => {
  if (position === undefined) return { verdict: 'restoreFromStart' }
  const foreign = foreignReason(position, facts)
  if (foreign !== undefined) return { verdict: 'refuse', reason: foreign }
  const ahead = aheadReason(position, facts)
  if (ahead !== undefined) return { verdict: 'wipe', reason: ahead, isAhead: true }
  const unusable = beforeStartReason(position, facts) ?? outdatedReason(position, facts)
  return unusable === undefined
    ? { verdict: 'resume' }
    : { verdict: 'wipe', reason: unusable, isAhead: false }
}

export const encodePosition = ({ offset, ...rest }: Position): Uint8Array =>
  Buffer.from(JSON.stringify({ ...rest, offset: String(offset) }))

/** @throws {StoreMismatchError} not a position: written by something else; wipe the store */
export const decodePosition = (bytes: Uint8Array): Position => {
  try {
    const { clusterId, topicId, leaderEpoch, offset, appliedAtMs } = JSON.parse(
      Buffer.from(bytes).toString(),
    ) as Record<keyof Position, unknown>
    if (
      typeof clusterId === 'string'
      && typeof topicId === 'string'
      && typeof leaderEpoch === 'number'
      && typeof offset === 'string'
      && typeof appliedAtMs === 'number'
    ) {
      return { clusterId, topicId, leaderEpoch, offset: BigInt(offset), appliedAtMs }
    }
  } catch {
    // Falls through to the error below, which says all there is to say.
  }
  throw new StoreMismatchError(
    `stored changelog position is unreadable: ${Buffer.from(bytes).toString('latin1', 0, 100)}`,
  )
}

const foreignReason = (position: Position, facts: ChangelogFacts): string | undefined => {
  const wayOut =
    'point the instance at the right cluster, choose another state directory, or '
    + 'delete this one: the state is then restored from the changelog'
  if (position.clusterId !== facts.clusterId) {
    return (
      `the state belongs to cluster ${position.clusterId}, this is ${facts.clusterId}; ` + wayOut
    )
  }
  if (position.topicId !== facts.topicId) {
    return (
      `the state belongs to changelog topic id ${position.topicId}, the topic now has `
      + `${facts.topicId}: it was deleted and made anew; ${wayOut}`
    )
  }
  return undefined
}

const aheadReason = (position: Position, facts: ChangelogFacts): string | undefined => {
  const { offset, leaderEpoch } = position
  if (facts.leaderEpoch !== undefined && leaderEpoch > facts.leaderEpoch) {
    return `leader epoch ${leaderEpoch} of the position is above the topic's ${facts.leaderEpoch}`
  }
  if (facts.epochEndOffset !== undefined && offset > facts.epochEndOffset) {
    return `leader epoch ${leaderEpoch} ended at ${facts.epochEndOffset}, before position ${offset}`
  }
  if (offset > facts.highWatermark) {
    return `position ${offset} is past the changelog's end ${facts.highWatermark}`
  }
  return undefined
}

const beforeStartReason = ({ offset }: Position, facts: ChangelogFacts): string | undefined =>
  offset < facts.logStartOffset
    ? `position ${offset} is before the changelog's start ${facts.logStartOffset}`
    : undefined

/** Deletes between the position and the end may have been compacted away, unseen. */
const outdatedReason = (position: Position, facts: ChangelogFacts): string | undefined => {
  // between the last record of a transaction and the end lies its own marker, and nothing else
  if (facts.highWatermark - position.offset <= 1n) return undefined
  const ageMs = facts.nowMs - position.appliedAtMs
  const ageMaxMs = facts.deleteRetentionMs - facts.marginMs
  if (ageMs > ageMaxMs) {
    return (
      `the position is ${ageMs} ms old: deletes older than ${ageMaxMs} ms `
      + '(delete.retention.ms less a margin) may be missing from the changelog'
    )
  }
  if (ageMs < -facts.marginMs) {
    return `the position is ${-ageMs} ms ahead of the clock, so its age is unknown`
  }
  return undefined
}
