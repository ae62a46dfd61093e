import { describe, expect, it } from 'vitest'
import { StoreMismatchError } from '../../state/errors.ts'
import {
  decodePosition,
  encodePosition,
  judgePosition,
  type ChangelogFacts,
  type Position,
} from '../../state/position.ts'

const hourMs = 3_600_000
const position: Position = {
  clusterId: 'cluster',
  topicId: 'topic',
  leaderEpoch: 3,
  offset: 50n,
  appliedAtMs: 100 * hourMs,
}
const facts: ChangelogFacts = {
  clusterId: 'cluster',
  topicId: 'topic',
  leaderEpoch: 4,
  logStartOffset: 10n,
  highWatermark: 60n,
  deleteRetentionMs: 24 * hourMs,
  nowMs: 101 * hourMs,
  marginMs: hourMs,
}

describe('judgePosition', () => {
  it.each<[string, Partial<Position>, Partial<ChangelogFacts>, string, string]>([
    ['all is well', {}, {}, 'resume', ''],
    ['no epoch known', {}, { leaderEpoch: undefined as never }, 'resume', ''],
    ['same epoch', { leaderEpoch: 4 }, {}, 'resume', ''],
    ['at the end', { offset: 60n }, {}, 'resume', ''],
    ['at the start', { offset: 10n }, {}, 'resume', ''],
    ['other cluster', { clusterId: 'x' }, {}, 'refuse', 'cluster x'],
    ['other topic', { topicId: 'x' }, {}, 'refuse', 'topic id x'],
    ['other topic and past the end', { topicId: 'x', offset: 99n }, {}, 'refuse', 'topic id x'],
    ['past the end', { offset: 61n }, {}, 'wipe', 'past'],
    ['before the start', { offset: 9n }, {}, 'wipe', 'before'],
    ['epoch from the future', { leaderEpoch: 5 }, {}, 'wipe', 'epoch 5'],
    ['its epoch ended before it', {}, { epochEndOffset: 49n }, 'wipe', 'ended at 49'],
    ['its epoch ended at it', {}, { epochEndOffset: 50n }, 'resume', ''],
    ['as old as retention less margin', {}, { nowMs: 123 * hourMs }, 'resume', ''],
    ['older than that', {}, { nowMs: 123 * hourMs + 1 }, 'wipe', 'delete.retention.ms'],
    ['old, but nothing came since', { offset: 60n }, { nowMs: 900 * hourMs }, 'resume', ''],
    ['a little ahead of the clock', {}, { nowMs: 99 * hourMs }, 'resume', ''],
    ['far ahead of the clock', {}, { nowMs: 98 * hourMs }, 'wipe', 'ahead of the clock'],
  ])('%s', (_, ...[changed, changedFacts, verdict, reason]) => {
    const judged = judgePosition({ ...position, ...changed }, { ...facts, ...changedFacts })
    expect(judged.verdict).toBe(verdict)
    expect('reason' in judged ? judged.reason : '').toContain(reason)
  })

  it('restores from the start if nothing is stored', () => {
    expect(judgePosition(undefined, facts)).toEqual({ verdict: 'restoreFromStart' })
  })

  it('names the way out when it refuses', () => {
    const judged = judgePosition({ ...position, clusterId: 'old' }, facts)
    expect(judged).toMatchObject({ verdict: 'refuse', reason: expect.stringContaining('delete') })
  })
})

describe('position bytes', () => {
  it('come back as they were, beyond 2^53 too', () => {
    const far = { ...position, offset: 2n ** 62n + 1n }
    expect(decodePosition(encodePosition(far))).toEqual(far)
  })

  it.each([
    '',
    '{}',
    'null',
    '{"clusterId":1}',
    '\xff\xfe',
    '[1]',
    '{"clusterId":"a","topicId":"b","leaderEpoch":1,"offset":"x","appliedAtMs":1}',
  ])('are refused if they are something else: %j', (text) => {
    expect(() => decodePosition(Buffer.from(text, 'latin1'))).toThrow(StoreMismatchError)
  })
})
