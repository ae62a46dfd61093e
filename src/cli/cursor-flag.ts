/** `--cursor` of `query` and `dlq list`, as a part of what is asked for. */

import { UsageError } from '../config/usage-error.ts'

/** @throws {UsageError} it is empty, as an unset variable of a script makes it */
export const cursorOf = (text: string | undefined): { readonly cursor?: string } => {
  if (text === '') {
    throw new UsageError('--cursor is empty: leave it out for the first page')
  }
  return text === undefined ? {} : { cursor: text }
}
