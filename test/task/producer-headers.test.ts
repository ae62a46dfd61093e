/** Goal: every record says where it comes from, and a trace that came in goes on. */

import { expect, test } from 'vitest'
import type { Headers } from '../../src/record.ts'
import { producerHeaders } from '../../src/task/producer-headers.ts'

const stamp = producerHeaders({ service: 'shop', version: '1.2.3' })
const header = (key: string, value: string) => ({ key, value: Buffer.from(value) })
const texts = (headers: Headers) =>
  headers.map(({ key, value }) => [key, Buffer.from(value!).toString()])
const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`

test('a trace goes on, other headers are kept, those of the input are replaced', () => {
  const input = [header('tenant', 'x'), header('traceparent', trace), header('service', 'http')]
  expect(texts(stamp(input, 5))).toEqual([
    ['tenant', 'x'],
    ['traceparent', trace],
    ['service', 'shop'],
    ['version', '1.2.3'],
    ['timestamp', '5'],
  ])
})

test.each([
  [],
  [header('traceparent', 'no trace')],
  [header('traceparent', `00-${'0'.repeat(32)}-1`)],
])('else one begins: %j', (...input) => {
  const [[name, first]] = texts(stamp(input, 1)) as [[string, string]]
  expect(name).toBe('traceparent')
  expect(first).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  expect(texts(stamp(input, 1))[0]![1]).not.toBe(first)
})
