/**
 * Goal: a row that has expired does not come back with a restore, and one that lives does.
 *
 * Method: a row expires in the middle of a bucket, so that it is still in the changelog; the
 * instance dies, and its heir has an empty disk, or the disk as it was.
 */

import { expect, test } from 'vitest'
import { json, process, stream, to, topic, topology, ttlStore, utf8 } from '../../src/index.ts'
import { Site } from './fixture.ts'

const number = json<number>()
const looks = topic('looks', { key: utf8, value: number })
const found = topic('found', { key: utf8, value: json<number | 'nothing'>() })
const ttlMs = 6_400 // buckets of 100 ms
const rows = ttlStore('rows', { key: utf8, value: number, ttlMs })

/** Positive values are put; 0 looks the key up. */
const looking = topology('looking', () => [
  stream(looks).pipe(
    process(
      'look',
      { rows },
      {
        onRecord({ key, value, timestampMs }, stores): readonly (number | 'nothing')[] {
          if (value === 0) return [stores.rows.get(key) ?? 'nothing']
          stores.rows.put(key, value, timestampMs)
          return []
        },
      },
    ),
    to(found),
  ),
])

test.each([true, false])('after a crash, disk lost: %s', async (isLost) => {
  const site = await Site.open()
  await site.createTopics([looks, found])
  const first = await site.start({ topology: looking, instanceId: 'a' })
  const startMs = 1_000_000
  const look = async (atMs: number, key: string, value: number): Promise<void> => {
    await site.send(looks, key, value, { timestampMs: startMs + atMs })
    await site.idle()
  }
  await look(50, 'old', 1)
  await look(150, 'young', 2)
  await look(50 + ttlMs, 'other', 3)
  expect(first.application.query(rows).get('old')).toBeUndefined()
  first.kill()
  const next = await site.start({
    topology: looking,
    instanceId: 'a',
    ...(isLost ? {} : { disk: first.disk }),
  })
  expect(next.application.metrics().restore.recordsRestored > 0).toBe(isLost)
  const stored = (): boolean => [...next.disk.rows.keys()].some((slot) => slot.endsWith('rold'))
  expect(stored()).toBe(true) // its deletion is still to come
  expect([...next.application.query(rows).range()]).toEqual([
    ['other', 3],
    ['young', 2],
  ])
  await look(50, 'old', 0) // a late record moves no time
  await look(50, 'young', 0)
  await look(150 + ttlMs, 'young', 0)
  await look(200 + ttlMs, 'other', 0)
  expect(await site.values(found)).toEqual(['nothing', 2, 'nothing', 3])
  expect(stored()).toBe(false)
})
