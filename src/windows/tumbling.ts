import { checkMs, type TimeWindows } from './windows.ts'

/**
 * Windows side by side: each record is in exactly one.
 *
 * `[0, size) [size, 2·size) …` of event time, the same for every key.
 *
 * @throws {RangeError} `sizeMs` below 1, `graceMs` below 0, or a fraction
 * @example  tumbling({ sizeMs: minutes(1), graceMs: seconds(10) })
 */
export const tumbling = ({
  sizeMs,
  graceMs,
}: {
  readonly sizeMs: number
  readonly graceMs: number
}): TimeWindows => {
  checkMs('sizeMs', sizeMs, 1)
  checkMs('graceMs', graceMs, 0)
  return { kind: 'tumbling', sizeMs, advanceMs: sizeMs, graceMs }
}
