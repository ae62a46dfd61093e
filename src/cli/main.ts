/**
 * The `millrace` command: parses arguments, runs one command, ends with its exit status.
 *
 * Started by `bin/millrace` and `scripts/run.mjs`. 1. stdout carries data, stderr everything else.
 * 2. Exit codes are those of `exit-codes.ts`; a typing error ends with 2 and the nearest known
 * word. 3. Nothing is left running behind a finished command.
 */

import { Command } from 'commander'
import { keepProcessAlive } from '../clock.ts'
import { nearest } from '../config/nearest.ts'
import { UsageError } from '../config/usage-error.ts'
import { DataOutput } from './data-output.ts'
import { customerCommand } from './customer.ts'
import { devCommand } from './dev.ts'
import { dlqCommand } from './dlq.ts'
import { exitCodes } from './exit-codes.ts'
import { failureOf } from './failure.ts'
import { loadCommand } from './load.ts'
import { openApiCommand } from './openapi.ts'
import { orderShowCommand } from './order-show.ts'
import { queryCommand } from './query.ts'
import { runCommand } from './run.ts'
import { schemaCommand } from './schema.ts'
import { topicsCommand } from './topics.ts'
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
  program.addCommand(customerCommand())
  program.addCommand(queryCommand())
  program.addCommand(topologyCommand())
  program.addCommand(topicsCommand())
  program.addCommand(dlqCommand())
  program.addCommand(schemaCommand())
  program.addCommand(openApiCommand())
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
Exit codes: 0 ok, 1 failure, 2 usage, 3 a plan has changes, 4 refused for safety,
130 ended at once by a second Ctrl-C.`

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

/**
 * `help` of what is no command: commander would print the help of the whole, and say nothing.
 *
 * @throws {UsageError} with the nearest command
 */
const checkHelp = (program: Command, args: readonly string[]): void => {
  let command = program
  for (const [index, word] of args.entries()) {
    const children = command.commands
    const child = children.find((candidate) => candidate.name() === word)
    if (child !== undefined) {
      command = child
      continue
    }
    const asked = args[index + 1]
    if (word !== 'help' || children.length === 0 || asked === undefined) return
    const known = children.map((candidate) => candidate.name())
    if (asked.startsWith('-') || known.includes(asked) || asked === 'help') return
    throw new UsageError(
      `unknown command '${asked}'; the nearest known one is '${nearest(asked, known)}'`,
    )
  }
}

const main = async (args: readonly string[]): Promise<number> => {
  const program = build()
  if (args.length === 0) {
    process.stderr.write(`${program.helpInformation()}${helpTail}\n`)
    return exitCodes.usage
  }
  try {
    checkHelp(program, args)
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? exitCodes.ok)
  } catch (error) {
    const { message, exitCode } = failureOf(error, knownWords(program, args))
    if (message !== '') process.stderr.write(`millrace: ${message}`)
    return exitCode
  }
}

const data = new DataOutput(process.stdout)
// a terminal that went away must not keep us from closing: what stderr misses is not told
const talk = new DataOutput(process.stderr)
// a command that waits for the next attempt at something has nothing open but a timer
const release = keepProcessAlive()
const exitCode = await main(process.argv.slice(2))
release()
await data.flushed()
const { failure } = data
if (failure !== undefined) process.stderr.write(`millrace: ${failure}\n`)
await talk.flushed()
process.exit(exitCode === exitCodes.ok && failure !== undefined ? exitCodes.failure : exitCode)
