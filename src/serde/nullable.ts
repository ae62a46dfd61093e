import { type Serde } from './serde.ts'

/**
 * Lets a stream carry null bytes, read as `undefined`: a deletion that must be seen, not refused.
 *
 * The runtime keeps null away from `decode` and writes null where a value is `undefined`; the
 * format's name is that of the inner serde, as the bytes are the same.
 *
 * @example  topic('customers', { key: utf8, value: nullable(json<Customer>()) })
 */
export const nullable = <T>(serde: Serde<T>): Serde<T | undefined> => ({
  format: serde.format,
  acceptsNull: true,
  encode(value) {
    if (value === undefined) throw new TypeError('undefined is written as null, not encoded')
    return serde.encode(value)
  },
  decode: (bytes) => serde.decode(bytes),
})
