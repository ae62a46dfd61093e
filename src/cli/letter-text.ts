/** Dead letters as text for people: lists, one letter, counts. */

import type { LetterDetail, LetterPage, LetterView } from '../dlq/dead-letter-access.ts'
import type { CountsByName, LetterStats, StatusCounts } from '../dlq/letter-stats.ts'
import type { Payload } from '../dlq/payload.ts'
import { table } from './table.ts'

const messageMax = 80
/** Of a list; `show` has the whole. A key may be as long as a record. */
const keyMax = 40

export const listText = ({ letters }: LetterPage): string =>
  letters.length === 0
    ? ''
    : table([
        ['ID', 'FAILED', 'STATUS', 'CLASS', 'CODE', 'RECORD', 'KEY', 'REASON'],
        ...letters.map((letter) => [
          letter.id,
          letter.failedAt.slice(0, 19) + 'Z',
          letter.isEdited ? `${letter.status}, edited` : letter.status,
          letter.class,
          letter.cause || letter.code,
          letter.source,
          shortened(oneLine(payloadText(letter.key)), keyMax),
          shortened(oneLine(reasonOf(letter)), messageMax),
        ]),
      ])

export const detailText = (letter: LetterDetail): string => {
  const { replays, first, audit } = letter
  const facts = [
    ['id', letter.id],
    ['status', letter.isEdited ? `${letter.status}, edited` : letter.status],
    ['failed at', letter.failedAt],
    ['record', `${letter.source} of ${letter.timestamp}`],
    ['key', oneLine(payloadText(letter.key))],
    ['class', letter.class],
    ['code', letter.cause === '' ? letter.code : `${letter.code}, ${letter.cause}`],
    ['exception', letter.exception],
    ['reason', oneLine(reasonOf(letter))],
    ['where', `task ${letter.task}, node ${letter.node}, attempts ${letter.attempts}`],
    ['application', `${letter.application} ${letter.version}`],
    ...(replays > 0 ? [['replayed', `${replays} times before, first as ${first}`]] : []),
    ...letter.headers.map(({ key, value }) => ['header', oneLine(`${key}: ${payloadText(value)}`)]),
    ...audit.map((entry) => [
      'audit',
      `${entry.at} ${entry.what} by ${entry.by}${entry.reason ? `: ${entry.reason}` : ''}`,
    ]),
  ]
  const value = (name: string, payload: Payload): string =>
    `\n${name}:\n${harmless(payloadText(payload, 2))}`
  return [
    table(facts),
    value('value', letter.value),
    ...(letter.amended === undefined ? [] : [value('edited value', letter.amended)]),
    ...(letter.stack === '' ? [] : [`\n${harmless(letter.stack)}`]),
  ].join('\n')
}

export const statsText = (stats: LetterStats): string =>
  table([
    ['', 'OPEN', 'REPLAYED', 'DISCARDED'],
    ['all', ...numbers(stats.total)],
    ...section('topic', stats.byTopic),
    ...section('class', stats.byClass),
    ...section('code', stats.byCode),
    ...section('hour', stats.byHour),
  ])

const section = (name: string, counts: CountsByName): readonly (readonly string[])[] =>
  Object.entries(counts).map(([value, each]) => [`${name} ${value}`, ...numbers(each)])

const numbers = ({ open, replayed, discarded }: StatusCounts): readonly string[] =>
  [open, replayed, discarded].map(String)

/** Without the place, which stands in columns of its own. */
const reasonOf = ({ message }: Pick<LetterView, 'message'>): string =>
  message.replace(/^task \S+, node \S+, record \S+: /, '').split('\n')[0]!

/** Control characters are shown as escapes: what a record holds must not drive the terminal. */
const harmless = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- it is about them
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, escaped)

const oneLine = (text: string): string => harmless(text).replace(/[\t\n]/g, escaped)

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** At most `max` characters; that some are missing is seen. */
const shortened = (text: string, max: number): string =>
  text.length > max ? `${text.slice(0, max - 1)}…` : text

const payloadText = (payload: Payload, indent = 0): string => {
  switch (payload.encoding) {
    case 'null':
      return 'null'
    case 'utf8':
      return payload.text
    case 'base64':
      return `base64 ${payload.text}`
    case 'decoded':
      return typeof payload.decoded === 'string'
        ? payload.decoded
        : JSON.stringify(payload.decoded, null, indent)
  }
}
