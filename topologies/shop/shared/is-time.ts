/** Times that come from outside as text. */

import { isoTime } from './iso-time.ts'

/** ISO-8601: a date, or a time with its offset. */
export const timePattern =
  /^(\d{4}-\d{2}-\d{2})(T([01]\d|2[0-3]):\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/

/**
 * A date or time of `timePattern`, that exists.
 *
 * Date.parse takes the 30th of February for the 2nd of March: the date must come back.
 */
export const isTime = (value: unknown): value is string => {
  if (typeof value !== 'string') return false
  const date = timePattern.exec(value)?.[1]
  if (date === undefined || Number.isNaN(Date.parse(value))) return false
  const dayMs = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(dayMs) && isoTime(dayMs).startsWith(date)
}
