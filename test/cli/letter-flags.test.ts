/** Goal: flags of `millrace dlq` mean what their help says, and typing errors are named. */

import { describe, expect, it } from 'vitest'
import { countOf, selectionOf, statusOf } from '../../src/cli/letter-flags.ts'
import { ecomNames } from '../../src/cli/topic-names.ts'

const dlq = ecomNames.deadLetters
const nowMs = Date.parse('2026-01-02T00:00:00Z')

describe('selectionOf', () => {
  it('has what was given, and nothing else', () => {
    expect(selectionOf({ dlq }, nowMs)).toEqual({})
    const texts = { topic: 't', task: '0_1', error: 'poison', key: 'k', contains: 'c' }
    expect(selectionOf({ dlq, ...texts }, nowMs)).toEqual(texts)
  })

  it('takes times, and how long ago', () => {
    const since = '2026-01-01T12:00:00Z'
    expect(selectionOf({ dlq, since, until: '2h' }, nowMs)).toEqual({
      sinceMs: nowMs - 12 * 3_600_000,
      untilMs: nowMs - 2 * 3_600_000,
    })
    expect(() => selectionOf({ dlq, until: 'soon' }, nowMs)).toThrow('--until: "soon" is neither')
  })
})

it('statusOf knows four words', () => {
  expect(['open', 'replayed', 'discarded', 'all'].map(statusOf)).toEqual([
    'open',
    'replayed',
    'discarded',
    undefined,
  ])
  expect(() => statusOf('opn')).toThrow("the nearest known one is 'open'")
})

it('countOf takes whole numbers within bounds', () => {
  expect([countOf('--limit', '1', 10), countOf('--limit', '10', 10)]).toEqual([1, 10])
  for (const text of ['0', '11', '-1', '1.5', '1e1', '', 'ten']) {
    expect(() => countOf('--limit', text, 10), text).toThrow('is not a whole number from 1 to 10')
  }
})
