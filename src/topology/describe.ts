/**
 * The plan as text, in the shape of Kafka Streams' `Topology.describe()`.
 *
 * Committed next to each topology and diffed in CI, so that a renamed store is seen in review.
 */

import { type GraphNode, type Plan, shownTopic } from './graph.ts'

/** Ends with a line break; the same plan gives the same text. */
export const describe = (plan: Plan): string => {
  const lines = [`Topology: ${plan.name}`]
  for (const { id, nodes } of plan.subTopologies) {
    lines.push(`  Sub-topology: ${id}`)
    for (const node of nodes) lines.push(...nodeLines(plan, node))
  }
  return `${lines.join('\n')}\n`
}

const nodeLines = ({ nodes, edges }: Plan, node: GraphNode): string[] => {
  const namesOf = (indexes: readonly number[]): string =>
    indexes.map((index) => nodes[index]!.name).join(', ')
  const inputs = edges.filter(({ to }) => to === node.index).map(({ from }) => from)
  const outputs = edges.filter(({ from }) => from === node.index).map(({ to }) => to)
  const lines = [`    ${titles[node.role]}: ${node.name} (${detail(node)})`]
  if (node.role !== 'sink') lines.push(`      --> ${namesOf(outputs) || 'none'}`)
  if (node.role !== 'source') lines.push(`      <-- ${namesOf(inputs)}`)
  return lines
}

const titles = { source: 'Source', processor: 'Processor', sink: 'Sink' } as const

const detail = (node: GraphNode): string => {
  if (node.role === 'sink') return `topic: ${shownTopic(node)}`
  if (node.role === 'source') return `topics: [${shownTopic(node)}]`
  const stores = `stores: [${node.stores.join(', ')}]`
  return node.globals.length === 0 ? stores : `${stores}, global: [${node.globals.join(', ')}]`
}
