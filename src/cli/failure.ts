/**
 * From whatever a command threw to a message on stderr and an exit status.
 *
 * Called once, by `main.ts`. 1. Errors of ours carry a code, which is shown: it is what README's
 * table explains. 2. A stack is shown for bugs only, that is for errors without a code. 3. What a
 * full or broken disk makes fail, also while closing, is told once, in the words of the disk.
 */

import { CommanderError } from 'commander'
import { StoreError } from '../../state/errors.ts'
import { nearest } from '../config/nearest.ts'
import { optionSpecs } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'
import { exitCodes } from './exit-codes.ts'

export interface Failure {
  readonly message: string
  readonly exitCode: number
}

/** What a person must change outside of the program; shown without code or stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** As `CommandError`, of what is not done since data could be lost or become unreadable. */
export class RefusalError extends CommandError {}

/** @param known  flags and command names of the command that was called, for typing errors */
export const failureOf = (thrown: unknown, known: readonly string[]): Failure => {
  const error = reasonOf(thrown)
  if (error instanceof CommanderError) return commanderFailure(error, known)
  if (error instanceof UsageError) {
    return { message: `${error.message}\n`, exitCode: exitCodes.usage }
  }
  if (error instanceof CommandError) {
    const isRefusal = error instanceof RefusalError
    const exitCode = isRefusal ? exitCodes.refused : exitCodes.failure
    return { message: `${error.message}\n`, exitCode }
  }
  if (!(error instanceof Error)) return { message: `${error}\n`, exitCode: exitCodes.failure }
  const code = (error as { readonly code?: unknown }).code
  if (typeof code !== 'string') {
    return { message: `${error.stack ?? error.message}\n`, exitCode: exitCodes.failure }
  }
  // the system's own errors begin with their code
  const reason = code === 'STREAMS_CONFIG' ? inFlags(error.message) : error.message
  const message = reason.startsWith(`${code}: `) ? reason : `${code}: ${reason}`
  return { message: `${message}\n`, exitCode: exitCodeOf(code) }
}

/** The runtime knows options only: `sessionTimeoutMs` is what people give as a flag. */
const inFlags = (message: string): string =>
  message.replace(/\b[a-z]+[A-Z]\w+\b/g, (word) => {
    const spec = optionSpecs.get(word)
    return spec === undefined ? word : `--${spec.flag}`
  })

/** The first failure, those of the closing after it; the disk's own, if one of them has it. */
const reasonOf = (thrown: unknown): unknown => {
  const failures = inOrder(thrown)
  for (const failure of failures) {
    const disk = diskFailureOf(failure)
    if (disk !== undefined) return disk
  }
  return failures[0]
}

const inOrder = (thrown: unknown): readonly unknown[] =>
  thrown instanceof SuppressedError
    ? [...inOrder(thrown.suppressed), ...inOrder(thrown.error)]
    : [thrown]

const diskFailureOf = (failure: unknown): StoreError | undefined => {
  for (let at = failure; at instanceof Error; at = at.cause) {
    if (at instanceof StoreError && at.code !== 'STATE_CLOSED') return at
  }
  return undefined
}

const exitCodeOf = (code: string): number => {
  if (code === 'STREAMS_CONFIG') return exitCodes.usage
  return refusals.has(code) ? exitCodes.refused : exitCodes.failure
}

const refusals: ReadonlySet<string> = new Set([
  'STATE_LOCKED',
  'STATE_MISMATCH',
  'STATE_LOST',
  'STREAMS_STATE_MISMATCH',
  'DLQ_TAKEN_OVER',
  'DLQ_REFUSED',
])

const commanderFailure = (error: CommanderError, known: readonly string[]): Failure => {
  // help and version were printed already
  if (error.exitCode === 0) return { message: '', exitCode: exitCodes.ok }
  if (error.code === 'commander.help') return { message: '', exitCode: exitCodes.usage }
  const message = error.message.replace(/^error: /, '')
  const word = /^unknown (?:option|command) '(.*)'$/.exec(message)?.[1]
  if (word === undefined) return { message: `${message}\n`, exitCode: exitCodes.usage }
  const candidates = known.filter((name) => name.startsWith('-') === word.startsWith('-'))
  const best = nearest(word.split('=')[0]!, candidates)
  const hint = best === undefined ? '' : `; the nearest known one is '${best}'`
  return { message: `${message}${hint}\n`, exitCode: exitCodes.usage }
}
