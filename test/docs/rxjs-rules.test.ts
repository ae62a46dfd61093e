/**
 * Goal: what `docs/coming-from-rxjs.md` says is refused is refused, with that code and message.
 * Method: each row of its table is built and given a few records; the page must have the words.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { delay, map, merge, scan, startWith, take } from 'rxjs'
import { expect, test } from 'vitest'
import {
  filter,
  json,
  stream,
  type StreamRecord,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { macrotask } from '../../src/runtime/sleep.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

const from = topic('from', { key: utf8, value: json<number>() })
const out = topic('out', { key: utf8, value: json<number>() })

const none = undefined as unknown as StreamRecord<string, number>

const page = readFileSync(join(import.meta.dirname, '../../docs/coming-from-rxjs.md'), 'utf8')
const rows = [...page.matchAll(/^\| (.+) \| `(STREAMS_\w+)` \| `(.+)` \|$/gm)].map(
  ([, written, code, message]) => ({ written: written!, code: code!, message: message! }),
)

/** In the order of the table. */
const mistakes: Readonly<Record<string, () => readonly unknown[]>> = {
  STREAMS_OUTSIDE_TOPOLOGY: () => [],
  STREAMS_UNTRACKED_STREAM: () => [merge(stream(from), stream(out)).pipe(to(out))],
  STREAMS_SUBSCRIBED: () => [stream(from).subscribe()],
  STREAMS_EMITTED_AT_BUILD: () => [stream(from).pipe(startWith(none), to(out))],
  STREAMS_COMPLETED: () => [stream(from).pipe(take(1), to(out))],
  STREAMS_ASYNC_EMISSION: () => [stream(from).pipe(delay(0), to(out))],
  STREAMS_NOT_A_RECORD: () => [
    stream(from).pipe(
      map(({ value }) => value as never),
      to(out),
    ),
  ],
  STREAMS_KEY_CHANGED: () => [
    stream(from).pipe(
      scan((first) => first),
      to(out),
    ),
  ],
}

const make = async (code: string): Promise<void> => {
  if (code === 'STREAMS_OUTSIDE_TOPOLOGY') filter(() => true)
  const driver = new TopologyDriver(topology('t', mistakes[code] as never))
  driver.pipe(from, 'a', 1)
  for (let i = 0; i < 5; i++) await macrotask()
  driver.pipe(from, 'b', 2)
}

test('the table is the list of mistakes', () => {
  expect(rows.map(({ code }) => code)).toEqual(Object.keys(mistakes))
})

test.each(rows)('$written: $code', async ({ code, message }) => {
  await expect(make(code)).rejects.toMatchObject({
    name: 'TopologyError',
    code,
    message: expect.stringContaining(message) as string,
  })
})
