/**
 * The `millrace` command: parses arguments, runs one command, ends with its exit status.
 *
 * Started by `bin/millrace` and `scripts/run.mjs`. 1. stdout carries data, stderr everything else.
 * 2. Exit codes are those of `exit-codes.ts`; a typing error ends with 2 and the nearest known
 * word. 3. Nothing is left running behind a finished command.
 */

import { Command } from 'commander'
import { devCommand } from './dev.ts'
import { exitCodes } from './exit-codes.ts'
import { failureOf } from './failure.ts'
import { loadCommand } from './load.ts'
import { orderShowCommand } from './order-show.ts'
import { queryCommand } from './query.ts'
import { runCommand } from './run.ts'
import { topologyCommand } from './topology.ts'

const version = '0.1.0'

const build = (): Command => {
  const program = new Command('millrace')
    .description('Stream-processing topologies, exactly once, with an embedded broker.')
    .version(version, '-V, --version', 'Print the version.')
    .addHelpText('after', helpTail)
  const order = new Command('order').description('Look at orders of the shop.')
  order.addCommand(orderShowCommand())
  program.addCommand(devCommand())
  program.addCommand(runCommand())
  program.addCommand(loadCommand())
  program.addCommand(order)
  program.addCommand(queryCommand())
  program.addCommand(topologyCommand())
  for (const command of withDescendants(program)) {
    // failures are printed once, in `main`, with the nearest known word
    command
      .exitOverride()
      .showSuggestionAfterError(false)
      .configureOutput({ outputError() {} })
      .helpOption('-h, --help', 'Print help.')
    if (command.commands.length > 0) command.helpCommand('help [command]', 'Print help.')
  }
  return program
}

const helpTail = `
--state-dir is also MILLRACE_STATE_DIR, and "stateDir" in ./millrace.json (or in the file that
MILLRACE_CONFIG names); all other options likewise. Flags win over variables, these over the file.
Data goes to stdout, everything else to stderr.
Exit codes: 0 ok, 1 failure, 2 usage, 4 refused for safety, 130 ended at once by a second Ctrl-C.`

const withDescendants = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap((child) => withDescendants(child)),
]

/** Flags and commands that could have been meant where parsing stopped. */
const knownWords = (program: Command, args: readonly string[]): readonly string[] => {
  let command = program
  for (const word of args) {
    const child = command.commands.find((candidate) => candidate.name() === word)
    if (child !== undefined) command = child
  }
  const flags = command.options.flatMap(({ long }) => (typeof long === 'string' ? [long] : []))
  return [...flags, '--help', ...command.commands.map((child) => child.name())]
}

const main = async (args: readonly string[]): Promise<number> => {
  const program = build()
  if (args.length === 0) {
    process.stderr.write(`${program.helpInformation()}${helpTail}\n`)
    return exitCodes.usage
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? exitCodes.ok)
  } catch (error) {
    const { message, exitCode } = failureOf(error, knownWords(program, args))
    if (message !== '') process.stderr.write(`millrace: ${message}`)
    return exitCode
  }
}

/** A pipe takes 64 KiB at a time: exiting right after a write would cut the rest off. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    stream.write('', () => resolve())
  })

// whoever reads us may stop reading (`| head`); that is no failure
process.stdout.on('error', () => process.exit(exitCodes.ok))
// nor is a terminal that went away: what it would have shown must not keep us from closing
process.stderr.on('error', () => {})
const exitCode = await main(process.argv.slice(2))
await Promise.all([flushed(process.stdout), flushed(process.stderr)])
process.exit(exitCode)
