/** Handles and one-line topologies used by several tests. */

import type { Observable } from 'rxjs'
import {
  json,
  stream,
  type StreamRecord,
  to,
  topic,
  topology,
  TopologyError,
  utf8,
} from '../../src/index.ts'
import { type RunnerOptions, TopologyRunner } from './run-topology.ts'

export const numbers = topic('numbers', { key: utf8, value: json<number>() })
export const others = topic('others', { key: utf8, value: json<number>() })
export const out = topic('out', { key: utf8, value: json<number>() })
export const second = topic('second', { key: utf8, value: json<number>() })

export type Item = StreamRecord<string, number>
export type Numbers = Observable<Item>

/** numbers → step → out */
export const runnerOf = (
  step: (numbers$: Numbers) => Numbers,
  options: RunnerOptions = {},
): TopologyRunner =>
  new TopologyRunner(
    topology('test', () => [step(stream(numbers)).pipe(to(out))]),
    options,
  )

/** The code of the TopologyError that an action throws; fails the test on any other error. */
export const codeOf = (action: () => unknown): string => {
  try {
    action()
  } catch (error) {
    if (error instanceof TopologyError) return error.code
    throw error
  }
  return 'nothing was thrown'
}
