/**
 * `millrace dlq list|show|stats|edit|replay|discard`: the dead letters of an application.
 *
 * On the Kafka of `--bootstrap`, else of a state directory, whether its process runs or not.
 */

import { Command } from 'commander'
import type { OptionName } from '../config/options.ts'
import { addConfigFlags, type ConfigFlags, kafkaOptions, settingsOf } from './config-flags.ts'
import type { EditFlags } from './edit-letter.ts'
import { addLetterFlags, addTopicFlag, type LetterFlags } from './letter-flags.ts'

const flags: ConfigFlags = {
  options: [...kafkaOptions, 'stateDir', 'topicNames', 'output', 'logLevel'] satisfies OptionName[],
}

export interface ListFlags extends LetterFlags {
  readonly status: string
  readonly limit: string
  readonly cursor?: string
}

export interface SettleFlags extends LetterFlags {
  readonly all?: boolean
  readonly yes?: boolean
  readonly reason?: string
  readonly rate?: string
  readonly maxAttempts?: string
  readonly force?: boolean
  readonly now?: boolean
}

export const dlqCommand = (): Command =>
  new Command('dlq')
    .description('Look at dead letters, mend them, and send them again or give them up.')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(statsCommand())
    .addCommand(editCommand())
    .addCommand(replayCommand())
    .addCommand(discardCommand())

const listCommand = (): Command => {
  const command = addLetterFlags(new Command('list'))
    .description('List dead letters, in the order of partition and offset.')
    .option('--status <status>', 'open, replayed, discarded or all.', 'open')
    .option('--limit <number>', 'Letters at most, up to 1000.', '100')
    .option('--cursor <text>', 'Where the page before ended; it says so on stderr.')
  return addConfigFlags(command, flags).action(async (given: ListFlags) => {
    const { listLetters } = await import('./dlq-verbs.ts')
    await listLetters(settingsOf(command, flags), given)
  })
}

const showCommand = (): Command => {
  const command = addTopicFlag(new Command('show'))
    .description('Show one dead letter: value, headers, stack, and what was done to it.')
    .argument('<id>', 'as list shows it: topic-partition-offset')
  return addConfigFlags(command, flags).action(async (id: string, given: LetterFlags) => {
    const { showLetter } = await import('./dlq-verbs.ts')
    await showLetter(settingsOf(command, flags), given, id)
  })
}

const statsCommand = (): Command => {
  const command = addLetterFlags(new Command('stats'))
    .description('Count dead letters by topic, class, code and hour, each by status.')
    .option('--status <status>', 'open, replayed, discarded or all.', 'all')
  return addConfigFlags(command, flags).action(async (given: ListFlags) => {
    const { countLetters } = await import('./dlq-verbs.ts')
    await countLetters(settingsOf(command, flags), given)
  })
}

const editCommand = (): Command => {
  const command = addTopicFlag(new Command('edit'))
    .description('Give an open dead letter another value; the letter itself stays as it was.')
    .argument('<id>', 'as list shows it: topic-partition-offset')
    .option('--value <text>', 'The new value.')
    .option('--value-file <file>', 'File with the new value; - is stdin.')
    .option('--raw', "Take bytes that the topic's serde refuses, or that cannot be checked.")
    .option('--reason <text>', 'Why, for the audit.')
    .addHelpText('after', '\nWithout a value it is opened in VISUAL or EDITOR, on a terminal.')
  return addConfigFlags(command, flags).action(
    async (id: string, given: LetterFlags & EditFlags) => {
      const { changeLetter } = await import('./dlq-verbs.ts')
      await changeLetter(settingsOf(command, flags), given, id)
    },
  )
}

const settleRules = `
Without --yes nothing is done: the counts are printed, with exit code 3 if there is anything to do.
Name letters by id or by conditions; --all means every open one. The same command again goes on
where an earlier one ended. Exit code 4: some were refused, and are named on stderr.`

const settleCommand = (name: string, description: string): Command =>
  addLetterFlags(new Command(name))
    .description(description)
    .argument('[ids...]', 'letters by id; conditions hold for them too')
    .option('--all', 'Every open letter.')
    .option('--yes', 'Do it.')
    .option('--rate <number>', 'Letters per second at most (default: as fast as it goes).')
    .addHelpText('after', settleRules)

const replayCommand = (): Command => {
  const command = settleCommand('replay', 'Send records again, to the partition they came from.')
    .option('--reason <text>', 'Why, for the audit.')
    .option('--max-attempts <number>', 'Replays of one record before it is refused.', '5')
    .option('--force', 'Replay also what was replayed that often.')
    .option('--now', 'Give records the time of the replay, instead of their own.')
  return addConfigFlags(command, flags).action(
    async (ids: readonly string[], given: SettleFlags) => {
      const { settleLetters } = await import('./dlq-verbs.ts')
      const settings = settingsOf(command, flags)
      process.exitCode = await settleLetters(settings, given, { what: 'replay', ids })
    },
  )
}

const discardCommand = (): Command => {
  const command = settleCommand(
    'discard',
    'Give letters up: they stay in the topic, settled.',
  ).requiredOption('--reason <text>', 'Why, for the audit.')
  return addConfigFlags(command, flags).action(
    async (ids: readonly string[], given: SettleFlags) => {
      const { settleLetters } = await import('./dlq-verbs.ts')
      const settings = settingsOf(command, flags)
      process.exitCode = await settleLetters(settings, given, { what: 'discard', ids })
    },
  )
}
