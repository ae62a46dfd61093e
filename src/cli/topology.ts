/** `millrace topology describe|graph|diff`: graphs in three forms, and what changed between two. */

import { Command, Option } from 'commander'
import { UsageError } from '../config/usage-error.ts'
import { addConfigFlags, type ConfigFlags, settingsOf } from './config-flags.ts'
import type { GraphFormat } from './graph-text.ts'

const formats: readonly GraphFormat[] = ['text', 'json', 'mermaid']

export const topologyCommand = (): Command =>
  new Command('topology')
    .description('Show the graph of a topology, or what changed between two.')
    .addCommand(showCommand('describe', 'Print it as text: sub-topologies, nodes, stores.', 'text'))
    .addCommand(showCommand('graph', 'Print it as a mermaid diagram.', 'mermaid'))
    .addCommand(diffCommand())

const diffFlags: ConfigFlags = { options: ['stateDir', 'output'] }

const diffRules = `
A and B are names of shipped topologies, modules that export one (FILE.ts, or FILE.ts#EXPORT), or
files that \`topology describe -o json\` wrote. With --state-dir, A is what that state was made by.
Exit codes: 0 the same or safe to start, 3 state would be left behind unless something is done,
4 it would be refused.`

const diffCommand = (): Command => {
  const command = new Command('diff')
    .description('Print what differs, what it means for state that exists, and what to do.')
    .argument('<topologies...>', 'A and B; or B alone, with --state-dir')
    .addHelpText('after', diffRules)
  return addConfigFlags(command, diffFlags).action(async (sources: readonly string[]) => {
    const settings = settingsOf(command, diffFlags)
    const isOnState = command.getOptionValueSource('stateDir') === 'cli'
    const { diffTopologies } = await import('./topology-diff.ts')
    process.exitCode = await diffTopologies({ settings, sources, isOnState })
  })
}

const showCommand = (name: string, description: string, byDefault: GraphFormat): Command =>
  new Command(name)
    .description(description)
    .argument('[name]', 'topology, or the file of one (default shop)')
    .addOption(formatOption(byDefault))
    .action(async (topologyName: string | undefined, { output }: FormatFlag) => {
      const { graphText } = await import('./graph-text.ts')
      process.stdout.write(await graphText(topologyName ?? 'shop', output ?? byDefault))
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
