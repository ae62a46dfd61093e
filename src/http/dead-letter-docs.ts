/** What the routes of dead letters say of themselves: the answers of `dead-letter-access.ts`. */

import { type TSchema, Type } from 'typebox'
import { letterStatuses } from '../dlq/letter-selection.ts'
import type { RouteDoc } from './openapi/route-doc.ts'

const strict = { additionalProperties: false }
const text = Type.String()
const count = Type.Integer({ minimum: 0 })
const status = Type.Unsafe({ type: 'string', enum: [...letterStatuses] })

const textPayload = Type.Object(
  {
    encoding: Type.Union([Type.Literal('utf8'), Type.Literal('base64')]),
    text,
  },
  strict,
)

const payload = Type.Union([
  Type.Object({ encoding: Type.Literal('null') }, strict),
  Type.Object({ encoding: Type.Literal('decoded'), decoded: Type.Unknown() }, strict),
  textPayload,
])

const view = {
  id: text,
  status,
  isEdited: Type.Boolean(),
  failedAt: text,
  source: Type.String({ description: 'topic-partition@offset of the record, if it is known.' }),
  topic: text,
  class: text,
  code: text,
  cause: text,
  task: text,
  node: text,
  message: text,
  key: payload,
  replays: count,
  first: Type.String({ description: 'The first dead letter of its record.' }),
}

const auditEntry = Type.Object(
  {
    what: Type.Union([Type.Literal('edited'), Type.Literal('replayed'), Type.Literal('discarded')]),
    letter: text,
    at: text,
    by: text,
  },
  { description: 'And what belongs to its kind.' },
)

const detail = Type.Object(
  {
    ...view,
    timestamp: text,
    exception: text,
    stack: text,
    attempts: text,
    application: text,
    version: text,
    headers: Type.Array(Type.Object({ key: text, value: payload }, strict)),
    value: payload,
    raw: Type.Union([textPayload, Type.Null()]),
    amended: Type.Optional(payload),
    amendedRaw: Type.Optional(textPayload),
    audit: Type.Array(auditEntry),
  },
  { ...strict, title: 'DeadLetter' },
)

const next = Type.Optional(
  Type.String({ description: 'Cursor of the next page; absent behind the last.' }),
)

const page = Type.Object(
  { letters: Type.Array(Type.Object(view, strict)), missing: Type.Array(text), next },
  { ...strict, title: 'DeadLetterPage' },
)

const counts = Type.Object({ open: count, replayed: count, discarded: count }, strict)
const countsByName = (): TSchema => Type.Record(Type.String(), counts)

const stats = Type.Object(
  {
    total: counts,
    byTopic: countsByName(),
    byClass: countsByName(),
    byCode: countsByName(),
    byHour: countsByName(),
  },
  { ...strict, title: 'DeadLetterStats' },
)

const report = Type.Object(
  {
    settled: Type.Array(Type.Object({ topic: text, class: text, count }, strict)),
    refused: Type.Array(Type.Object({ id: text, reason: text }, strict)),
    next,
  },
  { ...strict, title: 'SettleReport' },
)

const edited = Type.Object(
  {
    oldHash: Type.Union([text, Type.Null()]),
    newHash: text,
    isChanged: Type.Boolean(),
  },
  { ...strict, title: 'EditReport' },
)

const tag = 'dead letters'
const params = { id: text }
/** Another command took over; refused for safety. */
const changes = [409, 422]

export const listLettersDoc: RouteDoc = {
  tag,
  summary: 'A page of the dead letters that are selected.',
  answers: { 200: { description: 'Oldest first.', body: page } },
  problems: changes,
}

export const showLetterDoc: RouteDoc = {
  tag,
  summary: 'A dead letter, with its value and what was done to it.',
  params,
  answers: { 200: { description: 'As of now.', body: detail } },
  problems: [404, ...changes],
}

export const letterStatsDoc: RouteDoc = {
  tag,
  summary: 'Dead letters counted by topic, class, code and hour.',
  answers: { 200: { description: 'A pass over the topic.', body: stats } },
  problems: changes,
}

export const settleLettersDoc: RouteDoc = {
  tag,
  summary: 'Replay or discard a page of dead letters, as one transaction.',
  description: 'Sent again it does nothing twice. 409: another command took over.',
  answers: { 200: { description: 'What was done, or would be in a dry run.', body: report } },
  problems: changes,
}

export const amendLetterDoc: RouteDoc = {
  tag,
  summary: 'Give a dead letter another value, to be replayed with.',
  params,
  answers: { 200: { description: 'Noted in the audit.', body: edited } },
  problems: changes,
}
