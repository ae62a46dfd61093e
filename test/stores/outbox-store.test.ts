/** Goal: outbox rows keep everything over a restart, and queries see committed rows. */

import { expect, test } from 'vitest'
import { json, outboxStore, utf8 } from '../../src/index.ts'
import { OpenStore } from './open-store.ts'

const store = outboxStore('charges', { key: utf8, value: json<{ cents: number }>() })
const headers = [
  { key: 'trace', value: Buffer.from([0, 200]) },
  { key: 'none', value: null },
]

test('a row is the same after a restart, and its key names it', async () => {
  const open = new OpenStore(store)
  const seq = open.opened.nextSeq()
  const idempotencyKey = 'charges-é-1'
  const rowKey = open.opened.add('é', {
    seq,
    idempotencyKey,
    request: { cents: 5 },
    timestampMs: 7,
    headers,
  })
  const before = open.opened.row(rowKey)
  expect(before).toEqual({
    rowKey,
    key: 'é',
    seq: 1,
    idempotencyKey,
    request: { cents: 5 },
    timestampMs: 7,
    headers,
    attempts: 0,
    state: 'pending',
  })
  expect(open.reader.row(rowKey)).toBeUndefined()
  await open.restart()
  expect(open.opened.row(rowKey)).toEqual(before)
  expect([...open.reader.rows()]).toEqual([before])
  expect(open.opened.nextSeq()).toBe(2)
})

test('marking or removing a row that is gone does nothing', async () => {
  const open = new OpenStore(store)
  const rowKey = open.opened.add('k', {
    seq: 1,
    idempotencyKey: 'i',
    request: { cents: 1 },
    timestampMs: 0,
    headers: [],
  })
  open.opened.remove(rowKey)
  open.opened.markUnknown(rowKey, 3)
  open.opened.remove(rowKey)
  await open.commit()
  expect([...open.opened.rows()]).toEqual([])
})

test('an undone record gives its number back', () => {
  const open = new OpenStore(store)
  open.opened.add('k', {
    seq: open.opened.nextSeq(),
    idempotencyKey: 'i',
    request: { cents: 1 },
    timestampMs: 0,
    headers,
  })
  expect(open.opened.nextSeq()).toBe(2)
  open.undo()
  expect([open.opened.nextSeq(), [...open.opened.rows()]]).toEqual([1, []])
})
