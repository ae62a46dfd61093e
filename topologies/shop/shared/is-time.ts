/** Times that come from outside as text. */

import { isoTime } from './iso-time.ts'

const digits = (count: number): string => `[0-9]{${count}}`
const clockPattern = `([01][0-9]|2[0-3]):${digits(2)}(:${digits(2)}(\\.[0-9]+)?)?`
/** ISO-8601: a date, or a time with its offset. Told in the API, where `\d` may be more digits. */
export const timePattern = new RegExp(
  `^(${digits(4)}-${digits(2)}-${digits(2)})(T${clockPattern}(Z|[+-]${digits(2)}:${digits(2)}))?$`,
)

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
