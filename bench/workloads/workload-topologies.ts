/** The workloads of the peer benchmark by name, and the memory that each of them may use. */

import type { Topology } from '../../src/index.ts'
import { w1 } from './w1.ts'
import { w2 } from './w2.ts'
import { w2r } from './w2r.ts'
import { w3 } from './w3.ts'
import { w4 } from './w4.ts'

export type Workload = (inputs: readonly string[], outputs: readonly string[]) => Topology

export const workloadTopologies: Readonly<Record<string, Workload>> = { w1, w2, w2r, w3, w4 }

export const workloadMemory = {
  stateEngineBytes: 96 * 1_048_576,
  slotCacheBytes: 256 * 1_048_576, // the contract bounds rows: `cachedSlotsMax`
  cachedSlotsMax: 50_000,
} as const
