/** Windowed joins of two streams, with late records as Kafka Streams takes them. */

import {
  joinStore,
  joinWithin,
  leftJoinWithin,
  outerJoinWithin,
  stream,
  to,
  topology,
  utf8,
} from '../../../src/index.ts'
import { type Built, type Family, textOutput, textTopic } from '../family.ts'
import { joinText } from '../functions.ts'
import type { Params } from '../vector-case.ts'

const left = textTopic('left')
const right = textTopic('right')
const out = textTopic('out')
const joins = { inner: joinWithin, left: leftJoinWithin, outer: outerJoinWithin }

const streamStream =
  (kind: keyof typeof joins) =>
  (params: Params): Built => {
    const store = joinStore('sides', {
      key: utf8,
      left: utf8,
      right: utf8,
      beforeMs: Number(params.beforeMs),
      afterMs: Number(params.afterMs),
      graceMs: Number(params.graceMs),
      reportIntervalMs: Number(params.emitIntervalMs),
      lateRecords: 'join',
    })
    return {
      outputs: [textOutput(out)],
      topology: topology('ss', () => {
        const rights$ = stream(right)
        return [stream(left).pipe(joins[kind](rights$, store, joinText), to(out))]
      }),
    }
  }

export const streamJoinsFamily: Family = {
  'ss-inner': streamStream('inner'),
  'ss-left': streamStream('left'),
  'ss-outer': streamStream('outer'),
}
