/** `millrace topology describe|graph [NAME]`: the graph as text, JSON or a mermaid diagram. */

import { Command, Option } from 'commander'
import { type GraphFormat } from './graph-text.ts'

export const topologyCommand = (): Command =>
  new Command('topology')
    .description('Show the graph of a topology.')
    .addCommand(showCommand('describe', 'As text: sub-topologies, nodes, stores.', 'text'))
    .addCommand(showCommand('graph', 'As a mermaid diagram.', 'mermaid'))

const showCommand = (name: string, description: string, byDefault: GraphFormat): Command =>
  new Command(name)
    .description(description)
    .argument('[name]', 'which topology', 'shop')
    .addOption(
      new Option('-o, --output <format>', 'How it is printed.')
        .choices(['text', 'json', 'mermaid'])
        .default(byDefault),
    )
    .action(async (topologyName: string, { output }: { readonly output: GraphFormat }) => {
      const { graphText } = await import('./graph-text.ts')
      process.stdout.write(graphText(topologyName, output))
    })
