/** `millrace topology describe|graph [NAME]`: the graph as text, JSON or a mermaid diagram. */

import { Command, Option } from 'commander'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { nearest } from '../config/nearest.ts'
import { resolveSettings } from '../config/settings.ts'
import { UsageError } from '../config/usage-error.ts'
import { describe } from '../topology/describe.ts'
import { describeJson } from '../topology/describe-json.ts'
import { mermaid } from '../topology/mermaid.ts'
import { type Plan } from '../topology/graph.ts'
import { shopConfigOf } from './shop-instance.ts'

type Format = 'text' | 'json' | 'mermaid'

/** Topologies this program ships, by name. */
const shipped: Readonly<Record<string, () => Plan>> = {
  // the graph does not depend on the settings
  shop: () => shopTopology(shopConfigOf(resolveSettings({ flags: {}, env: {} }))).plan,
}

const writers: Readonly<Record<Format, (plan: Plan) => string>> = {
  text: describe,
  json: (plan) => JSON.stringify(describeJson(plan), null, 2),
  mermaid,
}

export const topologyCommand = (): Command =>
  new Command('topology')
    .description('Show the graph of a topology.')
    .addCommand(showCommand('describe', 'As text: sub-topologies, nodes, stores.', 'text'))
    .addCommand(showCommand('graph', 'As a mermaid diagram.', 'mermaid'))

const showCommand = (name: string, description: string, byDefault: Format): Command =>
  new Command(name)
    .description(description)
    .argument('[name]', 'which topology', 'shop')
    .addOption(
      new Option('-o, --output <format>', 'How it is printed.')
        .choices(['text', 'json', 'mermaid'])
        .default(byDefault),
    )
    .action((topologyName: string, { output }: { output: Format }) => {
      const text = writers[output](planOf(topologyName))
      process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
    })

const planOf = (name: string): Plan => {
  const make = Object.hasOwn(shipped, name) ? shipped[name] : undefined
  if (make !== undefined) return make()
  const known = Object.keys(shipped)
  throw new UsageError(
    `unknown topology '${name}'; the nearest known one is '${nearest(name, known)}'`,
  )
}
