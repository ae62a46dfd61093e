/** JSON that a person wrote into a file: what is wrong with it is told in one line. */

import type { UsageError } from './usage-error.ts'

/** @throws {UsageError} as `wrong` makes it of the reason */
export const parseJson = (text: string, wrong: (reason: string) => UsageError): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    // the parser quotes the text as it is
    throw wrong(`is not JSON: ${(error as Error).message.replaceAll(/\s+/g, ' ')}`)
  }
}
