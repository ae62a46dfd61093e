/**
 * A CPU profile as V8 writes it (`--cpu-prof`), as a tree with the time of each call.
 *
 * Format: the Profiler domain of the Chrome DevTools protocol. Samples tell which node was on top
 * of the stack, `timeDeltas` how long before the next one, in µs.
 */

import { readFileSync } from 'node:fs'

export interface ProfileCall {
  readonly functionName: string
  /** A file, a `node:` module, or empty for what V8 and natives do. */
  readonly url: string
  /** From 1; 0 where there is none. */
  readonly line: number
  /** Of this call alone, in µs. */
  selfUs: number
  readonly callees: ProfileCall[]
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      readonly lineNumber: number
    }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** @returns the root: `(root)`, with all that ran below */
export const readCpuProfile = (path: string): ProfileCall => {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(path, 'utf8')) as CpuProfile
  const calls = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }): [number, ProfileCall] => [
      id,
      { functionName, url, line: lineNumber + 1, selfUs: 0, callees: [] },
    ]),
  )
  for (const { id, children = [] } of nodes) {
    for (const child of children) calls.get(id)!.callees.push(calls.get(child)!)
  }
  samples.forEach((id, index) => {
    calls.get(id)!.selfUs += timeDeltas[index + 1] ?? 0
  })
  const root = nodes[0]
  if (root === undefined) throw new Error(`${path} has no calls`)
  return calls.get(root.id)!
}

export const totalUsOf = ({ selfUs, callees }: ProfileCall): number =>
  callees.reduce((sum, callee) => sum + totalUsOf(callee), selfUs)
