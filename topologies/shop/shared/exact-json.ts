/**
 * JSON from outside: exact in its bytes and in the digits of amounts.
 *
 * `4.500000000000000001` is read as the number 4.5: which digits were sent is lost, and an inexact
 * amount would pass. So the fields that hold money are kept as their source text.
 */

const moneyFields: ReadonlySet<string> = new Set(['price', 'totalAmount', 'amount'])

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

/** @throws {SyntaxError} no JSON */
export const parseExactJson = (text: string): unknown =>
  JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown)

const keepDigits: Reviver = (key, value, { source }) =>
  typeof value === 'number' && source !== undefined && moneyFields.has(key) ? source : value

const utf8Decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * The text of the bytes, without a byte order mark.
 *
 * Not `Buffer.toString`: that puts U+FFFD where bytes are wrong, and the text was never sent.
 *
 * @throws {SyntaxError} not UTF-8
 */
export const utf8Text = (bytes: Uint8Array): string => {
  try {
    return utf8Decoder.decode(bytes)
  } catch {
    throw new SyntaxError('its bytes are not UTF-8')
  }
}
