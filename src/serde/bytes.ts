import { type Serde } from './serde.ts'

/**
 * Bytes as they are.
 *
 * Both ways copy: decoded bytes outlive the fetch buffer they came from, and encoded ones do not
 * change if the caller writes into its array later.
 */
export const bytes: Serde<Uint8Array> = {
  format: 'bytes',
  encode(value) {
    if (!(value instanceof Uint8Array)) throw new TypeError('bytes encodes Uint8Array only')
    return new Uint8Array(value)
  },
  decode: (encoded) => new Uint8Array(encoded),
}
