/** The plainest stateful topology: a running sum per key, written out at every entry. */

import {
  aggregate,
  json,
  keyValueStore,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'
import type { Site } from './fixture.ts'

const number = json<number>()
export const entries = topic('entries', { key: utf8, value: number })
export const sums = topic('sums', { key: utf8, value: number })
export const sumStore = keyValueStore('sum', { key: utf8, value: number })
export const sumChangelog = { topic: 'app-sum-changelog', partition: 0 } as const

export const summing = topology('summing', () => [
  stream(entries).pipe(
    aggregate(
      sumStore,
      () => 0,
      (sum, value) => sum + value,
    ),
    to(sums),
  ),
])

/** Sums of one key, in the order they were written. */
export const sumsOf = async (site: Site, key = 'k'): Promise<readonly number[]> =>
  (await site.read(sums)).filter((record) => record.key === key).map(({ value }) => value)
