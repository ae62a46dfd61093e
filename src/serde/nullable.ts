import type { Serde } from './serde.ts'
import { registerTextDecoder, textDecoderOf } from './text-decoder.ts'

/**
 * Lets a stream carry null bytes, read as `undefined`: a deletion that must be seen, not refused.
 *
 * The runtime keeps null away from `decode` and writes null where a value is `undefined`; the
 * format's name is that of the inner serde, as the bytes are the same.
 *
 * @example  topic('customers', { key: utf8, value: nullable(json<Customer>()) })
 */
export const nullable = <T>(serde: Serde<T>): Serde<T | undefined> => {
  const { decodeSlice, decodeWith, encodeRaw, keptOf, schemas } = serde
  const decode = (bytes: Uint8Array): T => serde.decode(bytes)
  const decodeText = textDecoderOf(serde)
  if (decodeText !== undefined) registerTextDecoder(decode, decodeText)
  return {
    format: serde.format,
    acceptsNull: true,
    copies: serde.copies === true,
    encode: (value) => serde.encode(present(value)),
    decode,
    ...(decodeSlice && {
      decodeSlice: (buffer, start, end) => decodeSlice.call(serde, buffer, start, end),
    }),
    ...(schemas && { schemas }),
    ...(decodeWith && { decodeWith: (bytes, headers) => decodeWith.call(serde, bytes, headers) }),
    ...(encodeRaw && { encodeRaw: (value) => encodeRaw.call(serde, present(value)) }),
    ...(keptOf && {
      keptOf: (value) => (value === undefined ? undefined : keptOf.call(serde, value)),
    }),
  }
}

const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new TypeError('undefined is written as null, not encoded')
  return value
}
