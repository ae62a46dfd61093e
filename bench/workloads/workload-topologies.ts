/** The workloads of the peer benchmark by name, and the memory that each of them may use. */

import type { Topology } from '../../src/index.ts'
import { numberSetting } from '../load/setting.ts'
import { w1 } from './w1.ts'
import { w2 } from './w2.ts'
import { w2r } from './w2r.ts'
import { w3 } from './w3.ts'
import { w4 } from './w4.ts'

const mebibyte = 1_048_576

export type Workload = (inputs: readonly string[], outputs: readonly string[]) => Topology

export const workloadTopologies: Readonly<Record<string, Workload>> = { w1, w2, w2r, w3, w4 }

/** By environment for runs beyond memory: `STATE_ENGINE_MIB`, `SLOT_CACHE_MIB`, `CACHED_SLOTS`. */
export const workloadMemory = {
  stateEngineBytes: numberSetting('STATE_ENGINE_MIB', 96) * mebibyte,
  slotCacheBytes: numberSetting('SLOT_CACHE_MIB', 256) * mebibyte, // the contract bounds rows
  cachedSlotsMax: numberSetting('CACHED_SLOTS', 50_000), // per store and task: a partition
} as const
