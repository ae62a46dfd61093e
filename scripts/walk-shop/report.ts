/** What a walk found: the rows of the API with their events, and the documents. As text or JSON. */

import { table } from '../../src/cli/table.ts'
import type { CoveredDocument } from './coverage.ts'
import type { Sought } from './find-events.ts'
import type { Searched } from './search-erased.ts'
import type { Taken, Verdict } from './walk.ts'

export interface WalkReport {
  readonly rows: readonly RowReport[]
  readonly summary: WalkSummary
  readonly documents: readonly CoveredDocument[]
}

export interface WalkSummary {
  readonly ok: number
  readonly missing: number
  readonly failed: number
  readonly events: number
  readonly schemas: number
  readonly registry: string
  /** Answers of a replica that does not own the row, and so asked the other one. */
  readonly routed: number
}

interface RowReport {
  readonly row: string
  readonly what: string
  readonly call: string
  readonly answers: readonly AnswerReport[]
  readonly verdict: Verdict
  readonly reasons: readonly string[]
  readonly events: readonly EventReport[]
}

interface AnswerReport {
  readonly replica: string
  readonly status: number
  readonly isOwner?: boolean
}

interface EventReport {
  readonly topic: string
  readonly partition: number
  readonly type: string
  readonly version: string
  readonly aggregateId: string
  readonly aggregateVersion: number
}

/** @param instanceIds  of the replicas, in their order */
export const rowReport = (
  { step, asked, verdict, reason }: Taken,
  sought: readonly Sought[],
  instanceIds: readonly (string | undefined)[],
): RowReport => {
  const reasons = [reason, ...sought.map((event) => event.reason)].filter(
    (each) => each !== undefined,
  )
  return {
    row: step.row,
    what: step.what,
    call: `${step.method} ${step.path}`,
    answers: asked.map(({ replica, status, owner }) => ({
      replica: 'ab'[replica]!,
      status,
      ...(owner !== undefined && { isOwner: owner === instanceIds[replica] }),
    })),
    verdict: verdict === 'ok' && reasons.length > 0 ? 'FAILED' : verdict,
    reasons,
    events: sought.flatMap(eventReport),
  }
}

/** As a row of its own: nothing was called, its answer lies in a topic. */
export const searchReport = ({ topic, records, found, reason }: Searched): RowReport => ({
  row: topic,
  what: `of an erased customer: ${found}`,
  call: `read ${topic}: ${records} records`,
  answers: [],
  verdict: reason === undefined ? 'ok' : 'FAILED',
  reasons: reason === undefined ? [] : [reason],
  events: [],
})

const eventReport = ({ expected: { topic }, found }: Sought): readonly EventReport[] => {
  if (found === undefined) return []
  const { record, event } = found
  const { eventType: type, eventVersion: version, aggregateId, aggregateVersion } = event
  return [{ topic, partition: record.partition, type, version, aggregateId, aggregateVersion }]
}

export const summaryOf = (
  rows: readonly RowReport[],
  registry: Pick<WalkSummary, 'registry' | 'schemas'>,
): WalkSummary => {
  const count = (wanted: Verdict): number => rows.filter(({ verdict }) => verdict === wanted).length
  const answers = rows.flatMap((row) => row.answers)
  return {
    ok: count('ok'),
    missing: count('missing'),
    failed: count('FAILED'),
    events: rows.reduce((sum, { events }) => sum + events.length, 0),
    routed: answers.filter(({ isOwner }) => isOwner === false).length,
    ...registry,
  }
}

export const reportText = ({ rows, summary, documents }: WalkReport): string =>
  [rowsText(rows), summaryText(summary), ...documents.map(documentText)].join('\n\n')

/** One line per call, below it one per event. */
const rowsText = (rows: readonly RowReport[]): string => {
  const lines = table(
    rows.map(({ row, what, answers, verdict }) => [
      row,
      what,
      answers.map(answerText).join(' '),
      verdict,
    ]),
  ).split('\n')
  return rows
    .flatMap(({ events, reasons }, index) => [
      lines[index]!,
      ...reasons.map((reason) => `    ! ${reason}`),
      ...events.map((event) => `    ${eventText(event)}`),
    ])
    .join('\n')
}

/** `a:200` by the owner of the row, `b:200→a` by the other one, which asked it. */
const answerText = ({ replica, status, isOwner }: AnswerReport): string =>
  `${replica}:${status}${isOwner === false ? `→${replica === 'a' ? 'b' : 'a'}` : ''}`

const eventText = (event: EventReport): string => {
  const { topic, partition, type, version, aggregateId, aggregateVersion } = event
  return `${topic}[${partition}] ${type} ${version} of ${aggregateId}, version ${aggregateVersion}`
}

const summaryText = ({ ok, missing, failed, events, schemas, registry, routed }: WalkSummary) =>
  `${ok} ok, ${missing} missing, ${failed} FAILED. ${events} events were read by Kafka's console `
  + `consumer and decoded with ${schemas} schemas of ${registry}. ${routed} answers came from a `
  + `replica that does not own the row.`

const documentText = ({ document, systems }: CoveredDocument): string => {
  const rows = systems.map(({ system, implementedBy, provedBy, note }) => [
    `  ${system}`,
    implementedBy.length === 0 ? 'no' : implementedBy.join(', '),
    [...provedBy, ...(note === undefined ? [] : [`(${note})`])].join(', '),
  ])
  return `${document}\n${table(rows)}`
}
