/** `millrace topology describe|graph [NAME]`: the graph as text, JSON or a mermaid diagram. */

import { Command, Option } from 'commander'
import { UsageError } from '../config/usage-error.ts'
import { type GraphFormat } from './graph-text.ts'

const formats: readonly GraphFormat[] = ['text', 'json', 'mermaid']

export const topologyCommand = (): Command =>
  new Command('topology')
    .description('Show the graph of a topology.')
    .addCommand(showCommand('describe', 'Print it as text: sub-topologies, nodes, stores.', 'text'))
    .addCommand(showCommand('graph', 'Print it as a mermaid diagram.', 'mermaid'))

const showCommand = (name: string, description: string, byDefault: GraphFormat): Command =>
  new Command(name)
    .description(description)
    .argument('[name]', 'topology (default shop)')
    .addOption(formatOption(byDefault))
    .action(async (topologyName: string | undefined, { output }: FormatFlag) => {
      const { graphText } = await import('./graph-text.ts')
      process.stdout.write(graphText(topologyName ?? 'shop', output ?? byDefault))
    })

interface FormatFlag {
  readonly output?: GraphFormat
}

/** Commander would write the choices and the default another time. */
const formatOption = (byDefault: GraphFormat): Option =>
  new Option(
    `-o, --output <${formats.join('|')}>`,
    `How it is printed. (default ${byDefault})`,
  ).argParser((text) => {
    if ((formats as readonly string[]).includes(text)) return text
    throw new UsageError(`--output: ${JSON.stringify(text)} is not one of ${formats.join(', ')}`)
  })
