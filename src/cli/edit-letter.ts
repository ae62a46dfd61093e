/**
 * `millrace dlq edit`: a new value for a dead letter, from a flag, a file or an editor.
 *
 * The letter stays as it was; the new value is an entry of the audit, sent instead at a replay.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../config/usage-error.ts'
import type { DeadLetterAccess, EditReport } from '../dlq/dead-letter-access.ts'
import { type TextPayload, textPayload } from '../dlq/payload.ts'
import { CommandError } from './failure.ts'

export interface EditFlags {
  readonly value?: string
  readonly valueFile?: string
  readonly raw?: boolean
  readonly reason?: string
}

/** @throws {UsageError} two values, or none without a terminal */
export const editLetter = async (
  access: DeadLetterAccess,
  { id, flags, by }: { readonly id: string; readonly flags: EditFlags; readonly by: string },
): Promise<EditReport> => {
  const value = givenValue(flags) ?? (await editedValue(access, id))
  const { reason, raw } = flags
  const isRaw = raw === true
  return access.edit({ id, value, by, isRaw, ...(reason !== undefined && { reason }) })
}

const givenValue = ({ value, valueFile }: EditFlags): TextPayload | undefined => {
  if (value !== undefined && valueFile !== undefined) {
    throw new UsageError('--value and --value-file are two values: give one of them')
  }
  if (value !== undefined) return { encoding: 'utf8', text: value }
  if (valueFile === undefined) return undefined
  try {
    // 0 is stdin
    return textPayload(readFileSync(valueFile === '-' ? 0 : valueFile))
  } catch (error) {
    throw new UsageError(`--value-file: cannot read ${valueFile}: ${(error as Error).message}`)
  }
}

const editedValue = async (access: DeadLetterAccess, id: string): Promise<TextPayload> => {
  const editor = process.env['VISUAL'] ?? process.env['EDITOR']
  if (!process.stdin.isTTY || editor === undefined) {
    throw new UsageError('give the new value with --value or --value-file (or set EDITOR)')
  }
  const letter = await access.show(id)
  if (letter === undefined) throw new CommandError(`there is no dead letter ${id}`)
  const before = letter.amendedRaw ?? letter.raw
  if (before === null || before.encoding !== 'utf8') {
    throw new CommandError(`the value of ${id} is no text: give the new one with --value-file`)
  }
  return { encoding: 'utf8', text: throughEditor(editor, before.text) }
}

const throughEditor = (editor: string, text: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-edit-'))
  const path = join(directory, 'value.json')
  try {
    writeFileSync(path, text, { mode: 0o600 })
    const { status, error } = spawnSync(`${editor} "${path}"`, { stdio: 'inherit', shell: true })
    if (error !== undefined || status !== 0) {
      throw new CommandError(`${editor} ended with ${error?.message ?? `status ${status}`}`)
    }
    const edited = readFileSync(path, 'utf8')
    // editors end files with a line break that was not asked for
    return text.endsWith('\n') ? edited : edited.replace(/\n$/, '')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
