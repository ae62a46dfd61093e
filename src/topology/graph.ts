/**
 * The topology as data: collected by the planning scope, read by everything else.
 *
 * Knows neither RxJS nor tasks. 1. Nodes and edges are numbered in declaration order, so that a
 * task scope can compare its own run with the plan position by position. 2. Topics carry the name
 * of their handle; the runtime alone turns internal ones into
 * `<applicationId>-<name>-repartition`. 3. Handles (serdes, stores) ride along for the task;
 * describe, JSON and diagram show names only.
 */

import type { Store } from '../stores/store.ts'
import type { Topic } from '../topic.ts'

export type Role = 'source' | 'processor' | 'sink'

/** Handles of any type: their serdes are called through methods, hence bivariant. */
export type AnyTopic = Topic<unknown, unknown>

/** What an operator declares about the node it makes. */
export interface NodeSpec {
  readonly kind: string
  /** Unique in the topology; mandatory where there is state or an internal topic. */
  readonly name?: string
  /** Instead of a name: made unique by a number from the second use on. Absent: the kind. */
  readonly stem?: string
  readonly role?: Role
  readonly topic?: AnyTopic
  readonly isInternal?: boolean
  /** Null bytes are a value here (a table's deletion), whatever the serde says. */
  readonly acceptsNull?: boolean
  /** Its records lie in the partition of another key: no store may follow before a repartition. */
  readonly changesKey?: boolean
  /** A sink that looks at nothing of its records. */
  readonly isBlind?: boolean
  readonly stores?: readonly Store[]
  /** Topics of the global tables it looks up. */
  readonly globals?: readonly string[]
}

export interface GraphNode {
  readonly index: number
  readonly kind: string
  readonly name: string
  readonly role: Role
  /** Name of the topic's handle, for sources and sinks. */
  readonly topic: string | undefined
  /** The handle itself: a source decodes with its serdes, a sink encodes. */
  readonly topicHandle: AnyTopic | undefined
  /** A repartition topic, created and owned by the application. */
  readonly internalTopic: boolean
  /** Sources only: null bytes are read as `undefined` instead of failing the record. */
  readonly acceptsNull: boolean
  /** Emits records under another key than that of their partition. */
  readonly changesKey: boolean
  /** A sink that looks at nothing of its records: they may come as bytes. */
  readonly isBlind: boolean
  readonly stores: readonly string[]
  /** Topics of the global tables it looks up. */
  readonly globals: readonly string[]
}

export interface Edge {
  readonly from: number
  readonly to: number
}

/** Nodes connected without a topic in between; task id = `<sub-topology id>_<partition>`. */
export interface SubTopology {
  readonly id: number
  readonly nodes: readonly GraphNode[]
  readonly stores: readonly string[]
  /** Names of the handles it reads, in declaration order. */
  readonly sourceTopics: readonly string[]
  /** Names of the handles it writes, each once, in declaration order. */
  readonly sinkTopics: readonly string[]
  /** Topics that must have the same partition count, because one store or join sees them all. */
  readonly copartitionGroups: readonly (readonly string[])[]
  /** With plain RxJS steps: an offset may be committed one macrotask after its record only. */
  readonly hasPlainSteps: boolean
}

export interface Plan {
  readonly name: string
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly Edge[]
  /** Handle names of the repartition topics. */
  readonly internalTopics: readonly string[]
  readonly subTopologies: readonly SubTopology[]
  readonly stores: ReadonlyMap<string, Store>
  /** By topic: every instance reads these whole, no task owns them. */
  readonly globals: ReadonlyMap<string, AnyTopic>
}

/** The node that reads a topic, by the name of its handle. */
export const sourceOf = (nodes: readonly GraphNode[], topicName: string): GraphNode | undefined =>
  nodes.find(({ role, topic }) => role === 'source' && topic === topicName)

/** How people see a topic: `by-customer-repartition` for an internal one. */
export const shownTopic = ({ topic, internalTopic }: GraphNode): string =>
  internalTopic ? `${topic}-repartition` : `${topic}`
