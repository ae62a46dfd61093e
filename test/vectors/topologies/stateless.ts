/** Families without state, but for what `punctuate` counts. */

import {
  branch,
  filter,
  flatMap,
  flatMapValues,
  json,
  keyValueStore,
  mapValues,
  merge,
  process,
  type Processor,
  stream,
  to,
  topology,
  utf8,
} from '../../../src/index.ts'
import { type Family, textOutput, textTopic } from '../family.ts'
import { fk, itemsOf, num } from '../functions.ts'

const topicIn = textTopic('in')
const left = textTopic('left')
const right = textTopic('right')
const out = textTopic('out')

export const statelessFamily: Family = {
  merge: ({ selfMerge }) => ({
    outputs: [textOutput(out)],
    topology: topology('merge', () => {
      const left$ = stream(left)
      const both$ = merge(left$, stream(right))
      if (selfMerge !== true) return [both$.pipe(to(out))]
      const lower$ = left$.pipe(mapValues((value) => value?.toLowerCase()))
      return [merge(both$, lower$).pipe(to(out))]
    }),
  }),
  split: ({ defaultBranch }) => {
    const [all, even, big, rest, last] = splitTopics
    return {
      outputs: splitTopics.map(textOutput),
      topology: topology('split', () => {
        const in$ = stream(topicIn)
        const toAll$ = in$.pipe(to(all))
        const isRest = defaultBranch === true ? { rest: () => true } : {}
        const branches = branch(in$, {
          even: ({ value }) => value !== undefined && num(value) % 2 === 0,
          big: ({ value }) => value !== undefined && num(value) > 5,
          ...isRest,
        })
        const leaves = [
          toAll$,
          branches.even.pipe(to(even)),
          branches.big.pipe(
            mapValues((value) => `big${value}`),
            to(big),
          ),
        ]
        if (branches.rest !== undefined) leaves.push(branches.rest.pipe(to(rest)))
        const small$ = in$.pipe(filter(({ value }) => value === undefined || num(value) <= 3))
        return [...leaves, small$.pipe(to(last))]
      }),
    }
  },
  flatmap: () => ({
    outputs: [textOutput(out), textOutput(out2)],
    topology: topology('flatmap', () => {
      const items$ = stream(topicIn).pipe(
        flatMap(({ key, value }) =>
          itemsOf(value).map((item): [string, string | undefined] => [
            key === undefined ? key : `${key}/${fk(item) ?? null}`,
            item === 'x:0' ? undefined : item,
          ]),
        ),
      )
      const toOut$ = items$.pipe(to(out)) // declared first, runs first
      const doubled$ = items$.pipe(
        filter(({ value }) => value !== undefined),
        flatMapValues((value) => [value, `${value}!`]),
      )
      return [toOut$, doubled$.pipe(to(out2))]
    }),
  }),
  punctuate: (params) => ({
    outputs: [textOutput(out)],
    topology: topology('punctuate', () => [
      stream(topicIn).pipe(process('clock', { rows: clockRows }, clock(params)), to(out)),
    ]),
  }),
}

const splitTopics = [
  textTopic('out-all'),
  textTopic('out-even'),
  textTopic('out-big'),
  textTopic('out-rest'),
  textTopic('out-last'),
] as const
const out2 = textTopic('out2')

const clockRows = keyValueStore('clock-rows', { key: utf8, value: json<number>() })
type Clock = Processor<string, string | undefined, { rows: typeof clockRows }, string>

/**
 * `seen` counts records, `calls` those of the stream punctuator, which falls silent after
 * `cancelStreamAfter`. Scheduled lazily, the wall clock's rhythm begins with the first record:
 * `due` is its next point, looked at every ms.
 */
const clock = (params: Readonly<Record<string, unknown>>): Clock => {
  const streamMs = Number(params.streamIntervalMs)
  const wallMs = Number(params.wallIntervalMs)
  const cancelAfter = Number(params.cancelStreamAfter)
  const isLazy = params.scheduleOnKey === 'lazy'
  type Run = NonNullable<Clock['punctuators']>[string]['run']
  const report: (key: string) => Run =
    (key) =>
    (timeMs, { rows }, context) => {
      const seen = rows.get('seen') ?? 0
      return [[key, `t=${timeMs} st=${streamTimeText(context.streamTimeMs())} seen=${seen}`]]
    }
  const onStream: Run = (timeMs, stores, context) => {
    const calls = (stores.rows.get('calls') ?? 0) + 1
    stores.rows.put('calls', calls)
    const isCancelled = cancelAfter > 0 && calls > cancelAfter
    return isCancelled ? [] : report('stream')(timeMs, stores, context)
  }
  const onLazyWall: Run = (timeMs, stores, context) => {
    const dueMs = stores.rows.get('due')
    if (dueMs === undefined || timeMs < dueMs) return []
    stores.rows.put('due', dueMs + (Math.floor((timeMs - dueMs) / wallMs) + 1) * wallMs)
    return report('wall')(timeMs, stores, context)
  }
  return {
    onRecord(_record, { rows }, context) {
      rows.put('seen', (rows.get('seen') ?? 0) + 1)
      if (isLazy && rows.get('due') === undefined) rows.put('due', context.nowMs() + wallMs)
      return [`st=${context.streamTimeMs()} wt=${context.nowMs()}`]
    },
    punctuators: {
      ...(streamMs > 0 && {
        stream: { everyMs: streamMs, on: 'streamTime' as const, aligned: true, run: onStream },
      }),
      ...(wallMs > 0 && {
        wall: isLazy
          ? { everyMs: 1, on: 'wallClock' as const, run: onLazyWall }
          : { everyMs: wallMs, on: 'wallClock' as const, aligned: true, run: report('wall') },
      }),
    },
  }
}

/** Before the first record Kafka Streams says −1. */
const streamTimeText = (streamTimeMs: number): number =>
  streamTimeMs === -Infinity ? -1 : streamTimeMs
