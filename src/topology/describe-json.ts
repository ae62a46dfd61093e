/**
 * The plan as plain JSON: what the console draws, the API serves and `topology diff` compares.
 *
 * 1. Names only, no handles: it survives JSON.stringify unchanged. 2. Deterministic order.
 */

import type { ChangelogPolicy, Store } from '../stores/store.ts'
import { type Edge, type GraphNode, type Plan, shownTopic } from './graph.ts'

export interface NodeJson {
  readonly index: number
  readonly kind: string
  readonly name: string
  readonly role: GraphNode['role']
  readonly stores: readonly string[]
  /** Only sources and sinks; with `-repartition` where the topic is internal. */
  readonly topic?: string
  readonly internalTopic?: true
  readonly formats?: { readonly key: string; readonly value: string }
}

export interface StoreJson {
  readonly name: string
  readonly kind: string
  readonly layout: string
  /** Of what its values mean, by the application's own count. */
  readonly version: number
  /** Rows of older versions can be brought to this one. */
  readonly migrates?: true
  /** How long rows are kept, in ms, where the store has such a bound. */
  readonly retentionMs?: number
  readonly changelog: ChangelogPolicy
}

export interface SubTopologyJson {
  readonly id: number
  readonly nodes: readonly NodeJson[]
  readonly stores: readonly StoreJson[]
  readonly copartitionGroups: readonly (readonly string[])[]
}

export interface PlanJson {
  /** Of this JSON; a later one has other fields. */
  readonly version: 1
  readonly name: string
  readonly subTopologies: readonly SubTopologyJson[]
  readonly edges: readonly Edge[]
}

export const describeJson = ({ name, subTopologies, edges, stores }: Plan): PlanJson => ({
  version: 1,
  name,
  subTopologies: subTopologies.map((sub) => ({
    id: sub.id,
    nodes: sub.nodes.map(nodeJson),
    stores: sub.stores.map((storeName) => storeJson(stores.get(storeName)!)),
    copartitionGroups: sub.copartitionGroups,
  })),
  edges,
})

const storeJson = (store: Store): StoreJson => {
  const { name, kind, layout, version = 1, migrateRow, retentionMs, changelog } = store
  return {
    name,
    kind,
    layout,
    version,
    ...(migrateRow !== undefined && { migrates: true }),
    ...(retentionMs !== undefined && { retentionMs }),
    changelog,
  }
}

const nodeJson = (node: GraphNode): NodeJson => {
  const { index, kind, name, role, stores, topicHandle, internalTopic } = node
  const base = { index, kind, name, role, stores }
  if (topicHandle === undefined) return base
  const formats = { key: topicHandle.key.format, value: topicHandle.value.format }
  const topic = shownTopic(node)
  return internalTopic ? { ...base, topic, internalTopic, formats } : { ...base, topic, formats }
}
