/**
 * The headers that say where a record comes from: `traceparent`, `service`, `version`, `timestamp`.
 *
 * Used for every output of an application that wants them, and for commands written beside one.
 * 1. A trace that came with the input goes on; else one begins, of which no other record is a part.
 * 2. `timestamp` is the record's own, in ms: a replay writes the same. 3. Headers of other names
 * are kept.
 */

import { randomBytes } from 'node:crypto'
import { type Header, type Headers, StreamRecord } from '../record.ts'

export interface ProducerIdentity {
  readonly service: string
  readonly version: string
}

/** Of a record that is written because of one with these headers. */
export type StampHeaders = (headers: Headers, timestampMs: number) => Headers

const names: ReadonlySet<string> = new Set(['traceparent', 'service', 'version', 'timestamp'])
const traceparent = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

export const producerHeaders = ({ service, version }: ProducerIdentity): StampHeaders => {
  const own: Headers = [
    { key: 'service', value: Buffer.from(service) },
    { key: 'version', value: Buffer.from(version) },
  ]
  return (headers, timestampMs) => [
    ...headers.filter(({ key }) => !names.has(key)),
    headers.findLast(isTrace) ?? newTrace(),
    ...own,
    { key: 'timestamp', value: Buffer.from(String(timestampMs)) },
  ]
}

const isTrace = ({ key, value }: Header): boolean =>
  key === 'traceparent' && value !== null && traceparent.test(Buffer.from(value).toString('latin1'))

const newTrace = (): Header => {
  const hex = randomBytes(24).toString('hex')
  return { key: 'traceparent', value: Buffer.from(`00-${hex.slice(0, 32)}-${hex.slice(32)}-01`) }
}

/** The same record with the stamp. */
export const withHeaders = (
  { key, value, timestampMs, headers }: StreamRecord<unknown, unknown>,
  stamp: StampHeaders,
): StreamRecord<unknown, unknown> =>
  new StreamRecord(key, value, timestampMs, stamp(headers, timestampMs))
