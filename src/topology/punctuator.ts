/**
 * A scheduled callback of a node, on stream time or wall-clock time.
 *
 * Declared by the node, scheduled and fired by the task: the schedule outlives every rebuild of
 * the pipeline, and each punctuation gets a record scope of its own, so it is all or nothing too.
 */

import type { GraphNode } from './graph.ts'
import type { NodeInput } from './node-input.ts'

export type PunctuationTime = 'streamTime' | 'wallClock'

export interface Punctuator {
  /** `<node>.<name>`: the key of the durable schedule. */
  readonly name: string
  readonly node: GraphNode
  readonly everyMs: number
  readonly on: PunctuationTime
  /** Fires at fixed points, see `ProcessorPunctuator.aligned`. */
  readonly aligned: boolean
  /** Takes the time of the punctuation in ms. */
  readonly input: NodeInput<number>
}
