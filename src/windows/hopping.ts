import { checkMs, type TimeWindows } from './windows.ts'

/**
 * Windows that overlap: a new one begins every `advanceMs`, so a record is in several.
 *
 * A record is in `sizeMs / advanceMs` windows, rounded up or down, and costs as many rows.
 *
 * @throws {RangeError} `advanceMs` not from 1 to `sizeMs`, `graceMs` below 0, or a fraction
 * @example  hopping({ sizeMs: minutes(5), advanceMs: minutes(1), graceMs: 0 })
 */
export const hopping = ({
  sizeMs,
  advanceMs,
  graceMs,
}: {
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number
}): TimeWindows => {
  checkMs('advanceMs', advanceMs, 1)
  checkMs('sizeMs', sizeMs, advanceMs)
  checkMs('graceMs', graceMs, 0)
  return { kind: 'hopping', sizeMs, advanceMs, graceMs }
}
