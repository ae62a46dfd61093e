/** Topologies in the forms they are printed in; loaded when asked for only. */

import { describe } from '../topology/describe.ts'
import { describeJson } from '../topology/describe-json.ts'
import type { Plan } from '../topology/graph.ts'
import { mermaid } from '../topology/mermaid.ts'
import { planAt } from './topology-source.ts'

export type GraphFormat = 'text' | 'json' | 'mermaid'

const writers: Readonly<Record<GraphFormat, (plan: Plan) => string>> = {
  text: describe,
  json: (plan) => JSON.stringify(describeJson(plan), null, 2),
  mermaid,
}

/**
 * @param source  as `planAt` takes it
 * @throws {UsageError | CommandError} there is no such topology
 */
export const graphText = async (source: string, format: GraphFormat): Promise<string> => {
  const text = writers[format](await planAt(source))
  return text.endsWith('\n') ? text : `${text}\n`
}
