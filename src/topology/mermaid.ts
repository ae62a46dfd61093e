/**
 * The plan as a mermaid flowchart: topics are stadiums, stores cylinders, sub-topologies boxes.
 *
 * 1. Each topic is drawn once and outside of the boxes, in the place of its sources and sinks: one
 * that a sub-topology writes and another reads connects the two. 2. Thick arrows lead to and from
 * repartition topics. 3. Deterministic: READMEs of topologies hold the text, a test compares it.
 */

import { type GraphNode, type Plan, shownTopic } from './graph.ts'

/** Ends with a line break. */
export const mermaid = (plan: Plan): string =>
  `${['flowchart LR', ...topicLines(plan), ...boxLines(plan), ...arrowLines(plan)].join('\n')}\n`

const topicLines = ({ nodes }: Plan): string[] =>
  unique(
    nodes.flatMap((node) =>
      node.topic === undefined ? [] : `  ${idOf(node)}([${label(shownTopic(node))}])`,
    ),
  )

const boxLines = ({ subTopologies }: Plan): string[] =>
  subTopologies.flatMap(({ id, nodes, stores }) => {
    const members = nodes.filter(({ topic }) => topic === undefined)
    if (members.length === 0) return []
    return [
      `  subgraph sub${id} [Sub-topology ${id}]`,
      ...members.map((node) => `    ${idOf(node)}[${label(node.name)}]`),
      ...stores.map((store) => `    ${storeId(store)}[(${label(store)})]`),
      '  end',
    ]
  })

const arrowLines = ({ nodes, edges }: Plan): string[] =>
  unique([
    ...edges.map(({ from, to }) => {
      const ends = [nodes[from]!, nodes[to]!] as const
      const arrow = ends.some(({ internalTopic }) => internalTopic) ? '==>' : '-->'
      return `  ${idOf(ends[0])} ${arrow} ${idOf(ends[1])}`
    }),
    ...nodes.flatMap((node) => node.stores.map((store) => `  ${idOf(node)} -.- ${storeId(store)}`)),
  ])

const idOf = ({ index, topic }: GraphNode): string =>
  topic === undefined ? `n${index}` : `topic_${identifier(topic)}`

const storeId = (store: string): string => `store_${identifier(store)}`

/** Injective, so that `a.b` and `a_b` stay two; single hyphens are safe in mermaid and readable. */
const identifier = (name: string): string =>
  name.replaceAll(
    /-(?=-|$)|[^A-Za-z0-9-]/g,
    (character) => `_${character.charCodeAt(0).toString(16)}_`,
  )

/** Quoted where a character would end the shape. */
const label = (text: string): string =>
  /^[\w.-]+$/.test(text) ? text : `"${text.replaceAll('"', '#quot;')}"`

const unique = (lines: readonly string[]): string[] => [...new Set(lines)]
