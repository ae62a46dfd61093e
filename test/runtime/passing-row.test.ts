/** A row that is written and deleted again within one commit leaves nothing to send or to apply. */

import { expect, test } from 'vitest'
import {
  int64,
  keyValueStore,
  process,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import { Site } from './fixture.ts'

const visits = topic('visits', { key: utf8, value: int64 })
const seen = topic('seen', { key: utf8, value: int64 })
const rooms = keyValueStore('rooms', { key: utf8, value: int64 })

const visiting = topology('visiting', () => [
  stream(visits).pipe(
    process<string, bigint, { readonly rooms: typeof rooms }, bigint>(
      'visit',
      { rooms },
      {
        onRecord: ({ key, value }, opened) => {
          if (opened.rooms.get(key) !== undefined) return []
          opened.rooms.put(key, value)
          if (value > 0n) opened.rooms.delete(key)
          return [value]
        },
      },
    ),
    to(seen),
  ),
])

test('commits, again and again, and keeps what stays', async () => {
  const site = await Site.open()
  await site.createTopics([visits, seen])
  const { application } = await site.start({ topology: visiting })
  for (const value of [1n, 2n, -3n, 4n, -5n, 6n]) {
    await site.send(visits, `guest ${value}`, value)
    await site.idle()
  }
  expect(application.metrics()).toMatchObject({ state: 'running', reopenings: 0 })
  const left = [...application.query(rooms).range()]
  expect(left).toEqual([
    ['guest -3', -3n],
    ['guest -5', -5n],
  ])
})
