/**
 * A record of a dead-letter topic, taken apart: what it was, where it failed, and why.
 *
 * Made by `letter-scan.ts`. 1. It owns its bytes: nothing of a fetch buffer is left in it. 2. Its
 * headers are those the record had before it failed. 3. What another tool wrote may say less: then
 * `source` is absent and it cannot be replayed, only looked at and discarded.
 */

import type { RawRecord } from '../broker/port.ts'
import type { RecordPosition } from '../errors/classes.ts'
import { withoutErrors } from '../errors/dead-letter.ts'
import { errorHeaders, replayHeaders } from '../errors/dead-letter-headers.ts'
import { classOfRecordCode, type FailureClass, failureClassNames } from '../errors/failure-class.ts'
import type { Headers } from '../record.ts'
import { letterId, type LetterPosition } from './letter-id.ts'

export interface ReplayHistory {
  /** Id of the dead letter that was replayed last. */
  readonly of: string
  /** Id of the first dead letter of this record. */
  readonly first: string
  /** How many times it was replayed before it failed this time. */
  readonly attempt: number
}

export interface DeadLetter {
  readonly id: string
  readonly position: LetterPosition
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers
  /** Of the record itself; may be out of bounds, which may be why it failed. */
  readonly timestampMs: number
  /** Where the record lay that failed. */
  readonly source: RecordPosition | undefined
  readonly failureClass: FailureClass
  /** The letter's own time. */
  readonly failedAtMs: number
  readonly replay: ReplayHistory | undefined
  /** Texts of the failure; empty where the letter does not say. */
  readonly failure: Readonly<Record<FailureText, string>>
}

const failureTexts = [
  'exception',
  'message',
  'stack',
  'code',
  'cause',
  'task',
  'node',
  'attempts',
  'application',
  'version',
] as const satisfies readonly (keyof typeof errorHeaders)[]

type FailureText = (typeof failureTexts)[number]

export const deadLetterOf = (
  topic: string,
  position: LetterPosition,
  raw: RawRecord,
): DeadLetter => {
  const text = textsOf(raw.headers)
  const failure = Object.fromEntries(
    failureTexts.map((name) => [name, text(errorHeaders[name]) ?? '']),
  ) as Record<FailureText, string>
  return {
    id: letterId(topic, position),
    position,
    key: copyOf(raw.key),
    value: copyOf(raw.value),
    headers: withoutErrors(raw.headers).map(({ key, value }) => ({ key, value: copyOf(value) })),
    timestampMs: timeOf(text(errorHeaders.timestampMs), raw.timestampMs),
    source: sourceOf(text),
    failureClass: classOf(text(errorHeaders.class), failure.code),
    failedAtMs: dateMs(raw.timestampMs),
    replay: replayOf(text),
    failure,
  }
}

type Texts = (name: string) => string | undefined

const textsOf = (headers: Headers): Texts => {
  const found = new Map(headers.map(({ key, value }) => [key, value]))
  return (name) => {
    const value = found.get(name)
    return value === undefined || value === null ? undefined : Buffer.from(value).toString()
  }
}

const sourceOf = (text: Texts): RecordPosition | undefined => {
  const topic = text(errorHeaders.topic)
  const partition = text(errorHeaders.partition)
  const offset = text(errorHeaders.offset)
  if (topic === undefined || !/^\d+$/.test(partition ?? '') || !/^\d+$/.test(offset ?? '')) {
    return undefined
  }
  return { topic, partition: Number(partition), offset: BigInt(offset!) }
}

/** Letters of other tools do not say: their own time is the record's then. */
const timeOf = (text: string | undefined, letterMs: number): number =>
  /^-?\d+$/.test(text ?? '') ? Number(text) : letterMs

/** What a Date can show. */
export const dateMs = (timeMs: number): number => Math.min(dateMsMax, Math.max(0, timeMs))

const dateMsMax = 8_640_000_000_000_000

const classOf = (name: string | undefined, code: string): FailureClass =>
  failureClassNames.find((known) => known === name) ?? classOfRecordCode(code)

const replayOf = (text: Texts): ReplayHistory | undefined => {
  const [of, first] = [text(replayHeaders.of), text(replayHeaders.first)]
  const attempt = Number(text(replayHeaders.attempt))
  if (of === undefined || first === undefined || !Number.isInteger(attempt)) return undefined
  return { of, first, attempt }
}

const copyOf = (bytes: Uint8Array | null): Uint8Array | null =>
  bytes === null ? null : Buffer.from(bytes)
