/** Processors with stores of their own and punctuators, and a window store. */

import {
  keyValueStore,
  process,
  stream,
  to,
  topology,
  type StreamRecord,
  type KeyValueState,
  type WindowState,
  windowStore,
} from '../../src/index.ts'
import { anyOutputs, counts, type Family, left, out, type Value } from './family.ts'

interface Stores {
  readonly pending: KeyValueState<string, number>
  readonly seen: WindowState<string, number>
}

/** Sums of a key since the last punctuation; the punctuation tells and forgets them. */
const onRecord = (
  { key, value, timestampMs }: StreamRecord<string, number | undefined>,
  { pending, seen }: Stores,
): readonly Value[] => {
  if (key === undefined) return []
  const sum = (pending.get(key) ?? 0) + (value ?? 0)
  if (value === undefined) pending.delete(key)
  else pending.put(key, sum)
  seen.put(key, timestampMs, sum)
  seen.expire(timestampMs)
  return value === undefined ? [] : [sum]
}

const run = function* (_timeMs: number, { pending }: Stores): Generator<readonly [string, number]> {
  for (const [key, sum] of pending.range()) {
    pending.delete(key)
    yield [key, -sum]
  }
}

const family = (on: 'streamTime' | 'wallClock'): Family => {
  const pending = keyValueStore('pending', counts)
  const seen = windowStore('seen', { ...counts, retentionMs: 10_000 })
  return {
    topology: topology('processed', () => [
      stream(left).pipe(
        process(
          'summing',
          { pending, seen },
          {
            onRecord,
            punctuators: { tell: { everyMs: 40, on, run } },
          },
        ),
        to(out),
      ),
    ]),
    inputs: [left],
    outputs: anyOutputs(out),
    emitsOnTime: true,
    // the sums that a punctuation finds depend on which records moved its partition's time
    dependsOnPartition: true,
    usesWallClock: on === 'wallClock',
  }
}

export const processFamilies = (): Readonly<Record<string, Family>> => ({
  'process with a punctuator on stream time': family('streamTime'),
  'process with a punctuator on the wall clock': family('wallClock'),
})
