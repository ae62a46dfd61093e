/**
 * Rules of a finished graph, checked once, in the planning scope.
 *
 * 1. What the definition returns are streams of this run. 2. Every node but a source has an input
 * (a plain step such as `() => NEVER` cuts the lineage). 3. Every leaf is returned: no branch is
 * forgotten, and the returned list is the list of effects. Tables are read by joins, repartition
 * sinks by their own source. 4. No node with a store gets records whose key was changed since they
 * were partitioned: their state would lie in a partition where nobody looks for it. 5. A
 * repartition topic is both written and read: nobody else does either.
 */

import { TopologyError } from '../errors/classes.ts'
import type { Edge, GraphNode, Plan } from './graph.ts'
import { HotStream } from './hot-stream.ts'
import type { Scope } from './scope.ts'

export const validate = (
  scope: Scope,
  { nodes, edges, globals }: Pick<Plan, 'nodes' | 'edges' | 'globals'>,
  sinks: readonly unknown[],
): void => {
  for (const { role, topic = '' } of nodes) {
    if (role === 'source' && globals.has(topic)) {
      throw invalid(`the topic ${topic} is a global table, so it cannot be a source as well`)
    }
  }
  const returned = new Set(returnedNodes(scope, sinks))
  const hasInput = new Set(edges.map(({ to }) => to))
  const hasOutput = new Set(edges.map(({ from }) => from))
  for (const node of nodes) {
    if (node.role !== 'source' && !hasInput.has(node.index)) {
      throw invalid(`node ${node.name} has no input: an RxJS step before it drops its source`)
    }
    const isTable = /^table(-|$)/.test(node.kind)
    const isChosen = node.kind === 'to-chosen' // the node that chooses is before it
    const isReadElsewhere = isTable || isChosen || (node.internalTopic && node.role === 'sink')
    if (!hasOutput.has(node.index) && !isReadElsewhere && !returned.has(node)) {
      throw invalid(`node ${node.name} has no consumer; return it from the definition`)
    }
  }
  for (const node of nodes) if (node.changesKey) refuseStateAfter(node, nodes, edges)
  refuseHalfTopics(nodes)
}

const refuseHalfTopics = (nodes: readonly GraphNode[]): void => {
  const users = Map.groupBy(
    nodes.filter(({ internalTopic }) => internalTopic),
    ({ topic }) => topic,
  )
  for (const [topic, ends] of users) {
    if (new Set(ends.map(({ role }) => role)).size === 2) continue
    const missing = ends[0]!.role === 'sink' ? 'read' : 'written'
    throw invalid(
      `the repartition topic ${topic} is never ${missing}: it belongs to this application alone, `
        + 'so use it with both to() and stream(), or with repartitionBy()',
    )
  }
}

const refuseStateAfter = (
  changer: GraphNode,
  nodes: readonly GraphNode[],
  edges: readonly Edge[],
): void => {
  const reached = new Set([changer.index])
  for (const index of reached) {
    // a Set visits what is added while it is walked
    for (const { from, to } of edges) if (from === index) reached.add(to)
    const { name, stores } = nodes[index]!
    if (stores.length === 0) continue
    throw invalid(
      `node ${name} keeps state of records whose key ${changer.name} changed: `
        + 'put repartitionBy() between them',
    )
  }
}

const returnedNodes = (scope: Scope, sinks: unknown): readonly GraphNode[] => {
  if (!Array.isArray(sinks)) throw invalid('the definition must return an array of streams')
  return sinks.map((sink: unknown, index) => {
    if (sink instanceof HotStream && sink.scope === scope) return sink.node
    throw invalid(`returned element ${index} is not a stream of this run`)
  })
}

const invalid = (message: string): TopologyError =>
  new TopologyError('STREAMS_TOPOLOGY_INVALID', message)
