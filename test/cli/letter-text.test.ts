/** Goal: a list of dead letters stays a list, whatever keys and messages there are. */

import { expect, it } from 'vitest'
import { listText } from '../../src/cli/letter-text.ts'
import type { LetterView } from '../../src/dlq/dead-letter-access.ts'

const letter = (key: string, message: string) =>
  ({
    id: 'ecom.dlq-0-1',
    failedAt: '2026-01-01T00:00:00.000Z',
    status: 'open',
    isEdited: false,
    class: 'poison',
    cause: '',
    code: 'STREAMS_PROCESSING',
    source: 'ecom.orders-0@1',
    key: { encoding: 'utf8', text: key },
    message,
  }) as LetterView

it('cuts a key and a message, and shows that it did', () => {
  const letters = [letter('o-1', 'short'), letter('k'.repeat(300), 'm'.repeat(300))]
  const lines = listText({ letters, missing: [] }).split('\n')
  expect(lines[1]).toMatch(/ o-1 {39}short$/)
  expect(lines[2]).toMatch(/ k{39}… {2}m{79}…$/)
})

it('leaves alone what just fits', () => {
  const text = listText({ letters: [letter('k'.repeat(40), 'm'.repeat(80))], missing: [] })
  expect(text).toMatch(/ k{40} {2}m{80}$/)
})
