/** Headers of a record that is kept in a store: a JSON list of [key, value in base64 or null]. */

import { type Headers, noHeaders } from '../record.ts'

/** Empty for no headers. */
export const textOfHeaders = (headers: Headers): string => {
  if (headers.length === 0) return ''
  return JSON.stringify(
    headers.map(({ key, value }) => [
      key,
      value === null ? null : Buffer.from(value).toString('base64'),
    ]),
  )
}

export const headersFromText = (text: string): Headers => {
  if (text === '') return noHeaders
  const pairs = JSON.parse(text) as readonly (readonly [string, string | null])[]
  return pairs.map(([key, value]) => ({
    key,
    value: value === null ? null : Buffer.from(value, 'base64'),
  }))
}
