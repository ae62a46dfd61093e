import type { Serde } from './serde.ts'
import { registerTextDecoder } from './text-decoder.ts'
import { utf8 } from './utf8.ts'

/** With its faces for speed, for serdes that are made of it. */
export interface JsonSerde<T> extends Serde<T> {
  decodeSlice(buffer: Buffer, start: number, end: number): T
  encodeRaw(value: T): string
}

/**
 * Values as JSON text; the type is a promise of the caller, not checked at run time.
 *
 * `undefined`, functions and symbols have no JSON and are refused, and so is what makes
 * JSON.stringify throw (cycles, bigint). Inside of objects JSON's own rules hold: undefined fields
 * vanish, NaN becomes null, Date a string.
 *
 * @example  topic('orders', { key: utf8, value: json<Order>() })
 */
export const json = <T>(): JsonSerde<T> => jsonSerde as JsonSerde<T>

const jsonSerde: JsonSerde<unknown> = {
  format: 'json',
  copies: true,
  encode: (value) => Buffer.from(textOf(value), 'utf8'),
  decode: (bytes) => JSON.parse(utf8.decode(bytes)),
  decodeSlice: (buffer, start, end) => JSON.parse(utf8.decodeSlice!(buffer, start, end)),
  encodeRaw: (value) => textOf(value), // JSON.stringify escapes lone surrogates
}

registerTextDecoder(jsonSerde.decode, (text) => JSON.parse(text) as unknown)

const textOf = (value: unknown): string => {
  const text: string | undefined = JSON.stringify(value)
  if (text === undefined) throw new TypeError(`json cannot encode ${typeof value}`)
  return text
}
