/**
 * What a state directory was made by: kept in the store itself under a meta key, as JSON.
 *
 * Read and written by `state-guard.ts` at each start, read by `millrace topology diff`. Version 1
 * knew the layouts of the stores only, version 2 keeps the topology as `describeJson` tells it.
 */

import type { Engine } from '../../state/engine.ts'
import { metaKey } from '../../state/key-layout.ts'
import type { WriteBatch } from '../../state/write-batch.ts'
import { RuntimeError } from '../errors/classes.ts'
import type { StoreKind } from '../stores/store.ts'
import type { PlanJson } from '../topology/describe-json.ts'
import { shapeOf, type TopologyShape } from '../topology/topology-shape.ts'

interface Owner {
  readonly applicationId: string
  readonly clusterId: string
  /** Partition count by external and repartition source topic. */
  readonly partitions: Readonly<Record<string, number>>
  /** How often an application began to run on this state. */
  readonly starts: number
}

export interface StateFacts extends Owner {
  readonly version: 2
  readonly topology: PlanJson
}

interface OldStateFacts extends Owner {
  readonly version: 1
  /** Layout by store name. */
  readonly stores: Readonly<Record<string, string>>
}

export type KnownFacts = StateFacts | OldStateFacts

/**
 * @returns undefined if no application began to run on this state
 * @throws {RuntimeError} STREAMS_STATE_MISMATCH: it was made by a newer Millrace, run that one
 */
export const readFacts = (engine: Engine): KnownFacts | undefined => {
  const bytes = engine.get(factsKey)
  if (bytes === undefined) return undefined
  const facts = JSON.parse(Buffer.from(bytes).toString()) as KnownFacts
  const { version } = facts as { readonly version: number }
  if (version === 1 || version === 2) return facts
  throw new RuntimeError(
    'STREAMS_STATE_MISMATCH',
    `the state was made by a newer Millrace (layout ${version}); run that one, or choose another `
      + '--state-dir',
  )
}

export const putFacts = (batch: WriteBatch, facts: StateFacts): void => {
  batch.put(new Uint8Array(0), factsKey, Buffer.from(JSON.stringify(facts)))
}

export const shapeOfFacts = (facts: KnownFacts): TopologyShape =>
  facts.version === 1 ? oldShapeOf(facts) : shapeOf(facts.topology, facts.partitions)

const oldShapeOf = ({ stores, partitions }: OldStateFacts): TopologyShape => ({
  stores: Object.entries(stores).map(([name, layout]) => ({
    name,
    kind: layout.split('/')[0] as StoreKind,
    layout,
    version: 1,
    changelog: { cleanupPolicy: 'compact' },
  })),
  partitions,
})

const factsKey = metaKey('made-by')
