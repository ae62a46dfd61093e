/**
 * Splits a graph into sub-topologies and finds what must be co-partitioned.
 *
 * Nodes belong together if an edge or a shared store connects them. A topic connects nothing, be
 * it a repartition topic or an external one that is both written and read here: its records go
 * through the broker. Ids follow declaration order.
 */

import { TopologyError } from '../errors/classes.ts'
import { DisjointSets } from './disjoint-sets.ts'
import type { Edge, GraphNode, SubTopology } from './graph.ts'

export const splitSubTopologies = (
  nodes: readonly GraphNode[],
  edges: readonly Edge[],
): readonly SubTopology[] => {
  const sets = new DisjointSets(nodes.length)
  for (const { from, to } of edges) sets.union(from, to)
  for (const [first, ...rest] of usersOfStores(nodes).values()) {
    for (const user of rest) sets.union(first!.index, user.index)
  }
  const groups = Map.groupBy(nodes, ({ index }) => sets.find(index))
  return [...groups.values()].map((members, id) => subTopology(id, members, edges))
}

/**
 * Called by the runtime at start, once it knows the partition counts.
 *
 * @param partitionsOf  by the handle's name, repartition topics included
 * @throws {TopologyError} STREAMS_NOT_COPARTITIONED: repartition one side to the same count
 */
export const checkCopartitions = (
  { copartitionGroups }: SubTopology,
  partitionsOf: (topic: string) => number,
): void => {
  for (const topics of copartitionGroups) {
    if (new Set(topics.map(partitionsOf)).size <= 1) continue
    const counts = topics.map((topic) => `${topic} has ${partitionsOf(topic)}`)
    throw new TopologyError(
      'STREAMS_NOT_COPARTITIONED',
      `${counts.join(', ')} partitions; they `
        + 'meet in one store and need the same count: use repartitionBy() on one side',
    )
  }
}

const subTopology = (
  id: number,
  nodes: readonly GraphNode[],
  edges: readonly Edge[],
): SubTopology => ({
  id,
  nodes,
  stores: [...new Set(nodes.flatMap(({ stores }) => stores))],
  sourceTopics: topicsOf(nodes, 'source'),
  sinkTopics: topicsOf(nodes, 'sink'),
  copartitionGroups: copartitionGroups(nodes, edges),
  hasPlainSteps: nodes.some(({ kind }) => kind === 'rxjs'),
})

const topicsOf = (nodes: readonly GraphNode[], role: 'source' | 'sink'): readonly string[] => [
  ...new Set(nodes.flatMap((node) => (node.role === role ? (node.topic ?? []) : []))),
]

/** Stricter than Kafka Streams, which lets `merge` in front of an aggregate pass unchecked. */
const copartitionGroups = (
  members: readonly GraphNode[],
  edges: readonly Edge[],
): readonly (readonly string[])[] => {
  const sources = members.filter(({ role }) => role === 'source')
  const reachedBy = new Map(sources.map(({ index }) => [index, reach(index, edges)]))
  const sets = new DisjointSets(Math.max(...members.map(({ index }) => index)) + 1)
  for (const users of usersOfStores(members).values()) {
    const [first, ...rest] = sources.filter((source) =>
      users.some(({ index }) => reachedBy.get(source.index)?.has(index)),
    )
    for (const source of rest) sets.union(first!.index, source.index)
  }
  const groups = Map.groupBy(sources, ({ index }) => sets.find(index))
  return [...groups.values()]
    .filter(({ length }) => length > 1)
    .map((group) => group.flatMap(({ topic }) => topic ?? []))
}

const reach = (start: number, edges: readonly Edge[]): ReadonlySet<number> => {
  const seen = new Set([start])
  for (const index of seen) {
    // a Set visits what is added while it is walked
    for (const { from, to } of edges) if (from === index) seen.add(to)
  }
  return seen
}

const usersOfStores = (nodes: readonly GraphNode[]): Map<string, GraphNode[]> => {
  const users = new Map<string, GraphNode[]>()
  for (const node of nodes) {
    for (const store of node.stores) users.set(store, [...(users.get(store) ?? []), node])
  }
  return users
}
