/**
 * What a stateful node will want to read, asked before its records arrive one by one.
 *
 * Declared by the node, called by the task with records it has decoded ahead. 1. A hint: it reads
 * and writes nothing but the cache, and what it throws is ignored, since the record will fail by
 * itself. 2. Only sources whose records reach the node as they are (or with the same key, for
 * `reads: 'key'`) are asked: what a step in between makes of them, or whether a filter lets them
 * pass, is not known yet.
 */

import type { StreamRecord } from '../record.ts'
import type { Edge, GraphNode } from './graph.ts'

export interface Prefetch {
  readonly node: GraphNode
  /** Of a record: `key` survives a mapping of values, `record` does not. */
  readonly reads: 'key' | 'record'
  run(records: readonly StreamRecord<unknown, unknown>[]): void
}

/** Of a node that reads one row by the record's own key. */
export const prefetchByKey = <K>(
  node: GraphNode,
  rows: { prefetch(keys: readonly K[]): void },
): Prefetch => ({
  node,
  reads: 'key',
  run: (records) =>
    rows.prefetch(records.flatMap(({ key }) => (key === undefined ? [] : [key as K]))),
})

const keepRecord: ReadonlySet<string> = new Set(['merge', 'peek'])
const keepKey: ReadonlySet<string> = new Set([
  ...keepRecord,
  'map-values',
  'aggregate',
  'count',
  'reduce',
  'cogroup',
  'process',
  'join-table',
  'left-join-table',
  'table',
  'table-filter',
  'table-map-values',
  'to-stream',
  'join-within',
  'left-join-within',
  'outer-join-within',
])

/** Topics of the sources whose records reach the node in the form that the prefetch reads. */
export const prefetchedTopics = (
  { node, reads }: Prefetch,
  { nodes, edges }: { readonly nodes: readonly GraphNode[]; readonly edges: readonly Edge[] },
): readonly string[] => {
  const kept = reads === 'key' ? keepKey : keepRecord
  const topics = new Set<string>()
  const seen = new Set([node.index])
  for (const index of seen) {
    // a Set visits what is added while it is walked
    for (const { from, to } of edges) {
      const before = nodes[from]
      if (to !== index || before === undefined) continue
      if (before.role === 'source' && before.topic !== undefined) topics.add(before.topic)
      else if (kept.has(before.kind)) seen.add(from)
    }
  }
  return [...topics]
}
