/** Whether a value is as a step expects it, and if not, where and what it is instead. */

import type { Pattern } from './step.ts'

/**
 * Objects may have more fields than the pattern names, lists more items; all else is equal, or
 * matches the expression.
 *
 * @returns  undefined if it fits
 */
export const mismatchOf = (value: unknown, pattern: Pattern, at = ''): string | undefined => {
  if (pattern instanceof RegExp) {
    const fits = value !== undefined && pattern.test(String(value))
    return fits ? undefined : told(value, pattern, at)
  }
  if (typeof pattern !== 'object') return value === pattern ? undefined : told(value, pattern, at)
  if (typeof value !== 'object' || value === null) return told(value, pattern, at)
  for (const [field, part] of Object.entries(pattern) as [string, Pattern][]) {
    const place = at === '' ? field : `${at}.${field}`
    const mismatch = mismatchOf((value as Record<string, unknown>)[field], part, place)
    if (mismatch !== undefined) return mismatch
  }
  return undefined
}

const told = (value: unknown, pattern: Pattern, at: string): string => {
  const wanted = pattern instanceof RegExp ? String(pattern) : JSON.stringify(pattern)
  return `${at === '' ? 'it' : at} is ${JSON.stringify(value) ?? 'absent'}, not ${wanted}`
}
