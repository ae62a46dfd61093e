/**
 * Milliseconds as ISO-8601, with the last answer and the last second kept: under load most calls
 * ask for the same ms, nearly all for the same second.
 */

let lastMs = Number.NaN
let lastText = ''
let lastSecond = Number.NaN
let secondText = ''

/** @throws {RangeError} a second that a Date cannot hold */
export const isoTime = (timeMs: number): string => {
  if (timeMs !== lastMs) {
    const wholeMs = Math.trunc(timeMs)
    const second = Math.floor(wholeMs / 1_000)
    if (second !== lastSecond) {
      secondText = new Date(second * 1_000).toISOString().slice(0, -4)
      lastSecond = second
    }
    const ms = wholeMs - second * 1_000
    lastText = `${secondText}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`
    lastMs = timeMs
  }
  return lastText
}
