import { checkMs, type SessionWindows } from './windows.ts'

/**
 * Windows of activity: records of a key at most `gapMs` apart are one session.
 *
 * A record between two sessions makes them one.
 *
 * @throws {RangeError} `gapMs` or `graceMs` below 0, or a fraction
 * @example  session({ gapMs: minutes(30), graceMs: minutes(1) })
 */
export const session = ({
  gapMs,
  graceMs,
}: {
  readonly gapMs: number
  readonly graceMs: number
}): SessionWindows => {
  checkMs('gapMs', gapMs, 0)
  checkMs('graceMs', graceMs, 0)
  return { kind: 'session', gapMs, graceMs }
}
