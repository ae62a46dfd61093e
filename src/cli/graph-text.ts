/** The shipped topologies in the forms they are printed in; loaded when asked for only. */

import { shopTopology } from '../../topologies/shop/shop.ts'
import { nearest } from '../config/nearest.ts'
import { resolveSettings } from '../config/settings.ts'
import { UsageError } from '../config/usage-error.ts'
import { describe } from '../topology/describe.ts'
import { describeJson } from '../topology/describe-json.ts'
import { type Plan } from '../topology/graph.ts'
import { mermaid } from '../topology/mermaid.ts'
import { shopConfigOf } from './shop-settings.ts'

export type GraphFormat = 'text' | 'json' | 'mermaid'

/** Topologies this program ships, by name. */
const shipped: Readonly<Record<string, () => Plan>> = {
  // the graph does not depend on the settings
  shop: () => shopTopology(shopConfigOf(resolveSettings({ flags: {}, env: {} }))).plan,
}

const writers: Readonly<Record<GraphFormat, (plan: Plan) => string>> = {
  text: describe,
  json: (plan) => JSON.stringify(describeJson(plan), null, 2),
  mermaid,
}

/** @throws {UsageError} no topology has this name */
export const graphText = (name: string, format: GraphFormat): string => {
  const text = writers[format](planOf(name))
  return text.endsWith('\n') ? text : `${text}\n`
}

const planOf = (name: string): Plan => {
  const make = Object.hasOwn(shipped, name) ? shipped[name] : undefined
  if (make !== undefined) return make()
  const known = Object.keys(shipped)
  throw new UsageError(
    `unknown topology '${name}'; the nearest known one is '${nearest(name, known)}'`,
  )
}
