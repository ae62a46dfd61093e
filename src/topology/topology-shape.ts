/**
 * What of a topology outlives a process: stores, internal topics, nodes by name, partition counts.
 *
 * Kept in the state directory (`runtime/state-guard.ts`), written by `topology describe -o json`,
 * compared by `compare-topologies.ts`. What is absent is not known, and is not compared.
 */

import type { NodeJson, PlanJson, StoreJson } from './describe-json.ts'

/** A store and where it is; states made by older releases do not tell where. */
export interface ShapedStore extends StoreJson {
  readonly subTopology?: number
}

export interface ShapedNode extends NodeJson {
  readonly subTopology: number
}

export interface TopologyShape {
  readonly stores: readonly ShapedStore[]
  readonly nodes?: readonly ShapedNode[]
  /** By the topic's name at the broker. */
  readonly partitions: Readonly<Record<string, number>>
}

export const shapeOf = (
  { subTopologies }: PlanJson,
  partitions: TopologyShape['partitions'] = {},
): TopologyShape => ({
  stores: subTopologies.flatMap(({ id, stores }) =>
    stores.map((store) => ({ ...store, subTopology: id })),
  ),
  nodes: subTopologies.flatMap(({ id, nodes }) =>
    nodes.map((node) => ({ ...node, subTopology: id })),
  ),
  partitions,
})
