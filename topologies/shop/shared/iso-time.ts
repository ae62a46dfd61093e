/**
 * Milliseconds as ISO-8601, with the last answer kept: under load most calls ask for the same ms.
 */

let lastMs = Number.NaN
let lastText = ''

/** @throws {RangeError} outside of what a Date can hold */
export const isoTime = (timeMs: number): string => {
  if (timeMs !== lastMs) {
    lastText = new Date(timeMs).toISOString()
    lastMs = timeMs
  }
  return lastText
}
