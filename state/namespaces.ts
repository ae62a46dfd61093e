/**
 * Which stores of which tasks have rows in an engine, whatever the topology says.
 *
 * Called at start, to find rows that were left behind. One seek per namespace.
 */

import type { Engine } from './engine.ts'
import { allRows, namespaceOfRow, namespacePrefix, prefixEnd } from './key-layout.ts'

export interface Namespace {
  readonly taskId: string
  readonly storeName: string
}

export const namespacesOf = (engine: Engine): readonly Namespace[] => {
  const found: Namespace[] = []
  let { gte } = allRows
  for (;;) {
    const cursor = engine.scan({ gte, lt: allRows.lt, limit: 1 })
    const [row] = cursor.next(1)
    cursor.close()
    if (row === undefined) return found
    const namespace = namespaceOfRow(row[0])
    found.push(namespace)
    gte = prefixEnd(namespacePrefix(namespace.taskId, namespace.storeName))
  }
}
