/** Keys read ahead change nothing but the speed: not the results, not what a failure leaves. */

import { expect, test } from 'vitest'
import { json, keyValueStore, process, stream, to, topology, utf8 } from '../../src/index.ts'
import { Site } from './fixture.ts'
import { entries, sums, sumsOf } from './summing.ts'

const rows = keyValueStore('rows', { key: utf8, value: json<number>() })

const summingWith = (prefetchKeys: (key: string) => { rows: readonly string[] }) =>
  topology('summing', () => [
    stream(entries).pipe(
      process(
        'sum',
        { rows },
        {
          prefetchKeys: ({ key }) => prefetchKeys(key),
          onRecord({ key, value }, opened) {
            const sum = (opened.rows.get(key) ?? 0) + value
            opened.rows.put(key, sum)
            return [sum]
          },
        },
      ),
      to(sums),
    ),
  ])

const feed = async (site: Site): Promise<void> => {
  const sent: Promise<unknown>[] = []
  for (let i = 1; i <= 300; i++) sent.push(site.send(entries, `k${i % 50}`, i))
  await Promise.all(sent)
  await site.idle()
}

const expected = (key: number): readonly number[] => {
  const found: number[] = []
  for (let i = key; i <= 300; i += 50) found.push((found.at(-1) ?? 0) + i)
  return found
}

test('sums are right with keys read ahead, also over rows of an earlier life', async () => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  const topologyAhead = summingWith((key) => ({ rows: [key] }))
  const first = await site.start({ topology: topologyAhead })
  await feed(site)
  expect(await sumsOf(site, 'k7')).toEqual(expected(7))
  first.kill()
  await site.start({ topology: topologyAhead, disk: first.disk })
  await feed(site)
  const [last] = expected(7).slice(-1)
  expect((await sumsOf(site, 'k7')).at(-1)).toBe(last! * 2)
})

test('a prefetch that throws fails no record', async () => {
  const site = await Site.open()
  await site.createTopics([entries, sums])
  const { log } = await site.start({
    topology: summingWith(() => {
      throw new Error('no keys today')
    }),
  })
  await feed(site)
  expect(await sumsOf(site, 'k49')).toEqual(expected(49))
  expect(log).toEqual([])
})

test('a record tried again is decoded again, whatever the first try did to it', async () => {
  const site = await Site.open()
  const lists = { ...entries, name: 'lists', value: json<number[]>() }
  await site.createTopics([lists, sums])
  const failed = new Set<string>()
  await site.start({
    config: { onProcessingError: 'retry', retryBackoffMs: 1 },
    topology: topology('lists', () => [
      stream(lists).pipe(
        process(
          'sum',
          { rows },
          {
            prefetchKeys: ({ key }) => ({ rows: [key] }),
            onRecord({ key, value }) {
              value.push(1_000)
              if (!failed.has(key)) {
                failed.add(key)
                throw new Error('once')
              }
              return [value.reduce((sum, each) => sum + each, 0)]
            },
          },
        ),
        to(sums),
      ),
    ]),
  })
  await Promise.all([1, 2, 3].map((n) => site.send(lists, `k${n}`, [n])))
  await site.until(() => failed.size === 3)
  await site.idle()
  expect(await sumsOf(site, 'k2')).toEqual([1_002])
})
