/** W2 of the peer benchmark: count and sum per key, every update emitted. */

import { map } from 'rxjs'
import {
  aggregate,
  json,
  keyValueStore,
  stream,
  to,
  topic,
  topology,
  type Topology,
  utf8,
} from '../../src/index.ts'

interface Reading {
  readonly k: string
  readonly v: number
}

interface Count {
  readonly count: number
  readonly sum: number
}

interface KeyCount extends Count {
  readonly k: string
}

const counts = keyValueStore('counts', { key: utf8, value: json<Count>() })
const none: Count = { count: 0, sum: 0 }

export const w2 = ([input]: readonly string[], [output]: readonly string[]): Topology => {
  const readings = topic(input!, { key: utf8, value: json<Reading>() })
  const updates = topic(output!, { key: utf8, value: json<KeyCount>() })
  return topology('w2', () => [
    stream(readings).pipe(
      aggregate(
        counts,
        () => none,
        ({ count, sum }, { v }) => ({ count: count + 1, sum: sum + v }),
      ),
      map((record) => {
        const { count, sum } = record.value
        return record.withValue<KeyCount>({ k: record.key, count, sum })
      }),
      to(updates),
    ),
  ])
}
