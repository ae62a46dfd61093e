import { checkMs, type SlidingWindows } from './windows.ts'

/**
 * Windows that begin or end at a record: every set of records of a key at most `withinMs` apart.
 *
 * @throws {RangeError} `withinMs` below 1, `graceMs` below 0, or a fraction
 * @example  sliding({ withinMs: seconds(30), graceMs: seconds(5) })
 */
export const sliding = ({
  withinMs,
  graceMs,
}: {
  readonly withinMs: number
  readonly graceMs: number
}): SlidingWindows => {
  checkMs('withinMs', withinMs, 1)
  checkMs('graceMs', graceMs, 0)
  return { kind: 'sliding', withinMs, graceMs }
}
