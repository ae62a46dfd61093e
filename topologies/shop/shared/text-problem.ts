/**
 * What is wrong with a text from outside: ids, notes, reasons.
 *
 * Half of a surrogate pair has no UTF-8 form: as a key it would become another text, so it is
 * refused everywhere, in those words.
 */

/** @returns  the rest of a sentence that begins with the field's name; undefined: nothing is */
export const textProblem = (value: unknown, lengthMax: number): string | undefined => {
  if (typeof value !== 'string' || value.length === 0 || value.length > lengthMax) {
    return `must be a text of 1 to ${lengthMax} characters`
  }
  return value.isWellFormed() ? undefined : 'is no Unicode text: half of a surrogate pair is in it'
}
