/**
 * The work of `millrace dlq`: opens the desk, does one thing, prints it, closes.
 *
 * 1. stdout has the answer, as text or JSON; what remains to be said goes to stderr. 2. A change is
 * a dry run unless `--yes` was given. 3. What was done before a failure is printed all the same.
 */

import type { Settings } from '../config/settings.ts'
import { UsageError } from '../config/usage-error.ts'
import type { DeadLetterAccess } from '../dlq/dead-letter-access.ts'
import type { LetterSelection } from '../dlq/letter-selection.ts'
import type { ListFlags, SettleFlags } from './dlq.ts'
import { cursorOf } from './cursor-flag.ts'
import { type EditFlags, editLetter } from './edit-letter.ts'
import { exitCodes } from './exit-codes.ts'
import { CommandError } from './failure.ts'
import { actor, countOf, type LetterFlags, selectionOf, statusOf } from './letter-flags.ts'
import { detailText, listText, statsText } from './letter-text.ts'
import { openDesk } from './open-desk.ts'
import { ProgressBar } from './progress-bar.ts'
import { SettleRun, type SettleSum } from './settle-letters.ts'
import { StopSignals } from './stop-signals.ts'
import { table } from './table.ts'

const limitMax = 1_000
const attemptsMaxMax = 1_000_000
const rateMax = 100_000
const shownRefusalsMax = 20

export const listLetters = async (settings: Settings, flags: ListFlags): Promise<void> => {
  const limit = countOf('--limit', flags.limit, limitMax)
  const selection = withStatus(flags)
  const request = { selection, limit, ...cursorOf(flags.cursor) }
  const page = await withDesk(settings, flags, (desk) => desk.list(request))
  const { letters, next } = page
  print(settings, { letters, ...(next !== undefined && { next }) }, () => listText(page))
  if (next !== undefined) tell(`there are more: --cursor ${next}`)
}

export const showLetter = async (
  settings: Settings,
  flags: LetterFlags,
  id: string,
): Promise<void> => {
  const letter = await withDesk(settings, flags, (desk) => desk.show(id))
  if (letter === undefined) throw new CommandError(`there is no dead letter ${id}`)
  print(settings, letter, () => detailText(letter))
}

export const countLetters = async (settings: Settings, flags: ListFlags): Promise<void> => {
  const stats = await withDesk(settings, flags, (desk) => desk.stats(withStatus(flags)))
  print(settings, stats, () => statsText(stats))
}

export const changeLetter = async (
  settings: Settings,
  flags: LetterFlags & EditFlags,
  id: string,
): Promise<void> => {
  const by = actor()
  const report = await withDesk(settings, flags, (desk) => editLetter(desk, { id, flags, by }))
  print(settings, { id, ...report }, () => '')
  tell(report.isChanged ? `${id} has another value for its replay` : `${id} has this value already`)
}

export interface SettleCommand {
  readonly what: 'replay' | 'discard'
  readonly ids: readonly string[]
}

/** @returns the exit status */
export const settleLetters = async (
  settings: Settings,
  flags: SettleFlags,
  command: SettleCommand,
): Promise<number> => {
  const request = requestOf(flags, command)
  const ratePerSec = rateOf(flags.rate)
  const signals = new StopSignals()
  const stopped = signals.requested
  const isDryRun = flags.yes !== true
  const sum = await withDesk(
    settings,
    flags,
    async (access) => {
      const dry = new SettleRun({
        access,
        request: { ...request, isDryRun: true },
        ratePerSec,
        stopped,
      })
      // with --yes only to know how far it is
      const expected = isDryRun || process.stderr.isTTY ? await dry.run() : undefined
      if (isDryRun) return dry.sum
      const bar = new ProgressBar(process.stderr, command.what, expected?.total ?? 0)
      const onProgress = (done: number): void => bar.update(done)
      const run = new SettleRun({
        access,
        request: { ...request, isDryRun },
        ratePerSec,
        stopped,
        onProgress,
      })
      try {
        return await run.run()
      } catch (error) {
        if (run.sum.total > 0) tell(`${run.sum.total} letters were settled; run it again to go on`)
        throw error
      } finally {
        bar.end()
      }
    },
    signals,
  )
  const { what } = command
  print(settings, { what, isDryRun, ...sum }, () => sumText(sum, { what, isDryRun }))
  tellRefused(sum)
  if (!sum.isComplete) throw new CommandError('stopped; the same command again goes on')
  if (isDryRun && sum.total > 0) {
    tell(`nothing is done yet: --yes does it`)
    return exitCodes.changes
  }
  return sum.refused.length > 0 ? exitCodes.refused : exitCodes.ok
}

const requestOf = (flags: SettleFlags, { what, ids }: SettleCommand) => {
  const selection: LetterSelection = {
    ...selectionOf(flags, Date.now()),
    ...(ids.length > 0 && { ids }),
  }
  if (Object.keys(selection).length === 0 && flags.all !== true) {
    throw new UsageError('which letters? Name ids or conditions, or give --all')
  }
  const { reason } = flags
  const isReplay = what === 'replay'
  return {
    what,
    selection,
    by: actor(),
    ...(reason !== undefined && { reason }),
    ...(isReplay && {
      attemptsMax: countOf('--max-attempts', flags.maxAttempts ?? '', attemptsMaxMax),
      isForced: flags.force === true,
      isTimedNow: flags.now === true,
    }),
  }
}

const rateOf = (text: string | undefined): number => {
  if (text === undefined) return Infinity
  const rate = Number(text.replace(/\/s$/, ''))
  if (rate > 0 && rate <= rateMax) return rate
  throw new UsageError(`--rate: "${text}" is not a number above 0, up to ${rateMax}`)
}

const sumText = (
  { settled }: SettleSum,
  { what, isDryRun }: Pick<SettleCommand, 'what'> & { readonly isDryRun: boolean },
): string => {
  const verb = isDryRun ? `would ${what}` : what === 'replay' ? 'replayed' : 'discarded'
  return table(
    settled.map(({ topic, class: failureClass, count }) => [
      verb,
      String(count),
      failureClass,
      topic,
    ]),
  )
}

const tellRefused = ({ refused }: SettleSum): void => {
  for (const { id, reason } of refused.slice(0, shownRefusalsMax)) tell(`refused ${id}: ${reason}`)
  const more = refused.length - shownRefusalsMax
  if (more > 0) tell(`and ${more} more were refused; -o json names them`)
}

const withStatus = (flags: ListFlags): LetterSelection => {
  const status = statusOf(flags.status)
  return { ...selectionOf(flags, Date.now()), ...(status !== undefined && { status }) }
}

const withDesk = async <T>(
  settings: Settings,
  { dlq: topic }: LetterFlags,
  use: (desk: DeadLetterAccess) => Promise<T>,
  signals = new StopSignals(),
): Promise<T> => {
  await using parts = new AsyncDisposableStack()
  return await use(await openDesk(settings, { topic, interrupted: signals.requested }, parts))
}

const print = ({ output }: Settings, data: object, text: () => string): void => {
  const shown = output === 'json' ? JSON.stringify(data) : text()
  if (shown !== '') process.stdout.write(`${shown}\n`)
}

const tell = (text: string): void => {
  process.stderr.write(`millrace: ${text}\n`)
}
