/**
 * Keys of index stores that are read in order of time: `<13 digits of ms>|<rest>`.
 *
 * 13 digits sort as numbers until the year 2286. One row per thing waited for.
 */

const digits = 13

export const timeKey = (timeMs: number, rest: string): string =>
  `${String(timeMs).padStart(digits, '0')}|${rest}`

/** The part after the time. */
export const restOf = (key: string): string => key.slice(digits + 1)

/** Exclusive upper bound of the keys due up to and at `timeMs`; `undefined` if none can be. */
export const dueBound = (timeMs: number): string | undefined =>
  timeMs >= 0 ? timeKey(Math.floor(timeMs) + 1, '') : undefined
