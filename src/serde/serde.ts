/**
 * Bytes ⇄ values: the only place where a type meets its wire format.
 *
 * 1. `decode(encode(value))` equals `value`. 2. `decode` may get a view into a fetch buffer: what
 * it keeps it must copy. 3. Both throw on what they cannot represent; the runtime turns the throw
 * into a deserialization or production failure of that one record.
 */
export interface Serde<T> {
  /** Stable name of the format, compared when a store is opened: `utf8`, `json`, `int64`. */
  readonly format: string
  /** True if null bytes are a legal value of a stream, read as `undefined`. See `nullable`. */
  readonly acceptsNull?: boolean
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): T
  /**
   * Optional, for speed: `decode(buffer.subarray(start, end))` without the view.
   *
   * The buffer is that of a whole fetch: what is kept of it must be copied.
   */
  decodeSlice?(buffer: Buffer, start: number, end: number): T
  /**
   * Optional, for speed: what `encode` returns, for a caller that copies it at once.
   *
   * @returns text that stands for its UTF-8 and is well-formed, or bytes that may still be the
   *          value's own
   */
  encodeRaw?(value: T): string | Uint8Array
  /**
   * Optional, of keys: the part of the encoded bytes that decides the partition; default all.
   *
   * Not together with `encodeRaw`.
   */
  partitionBytes?(encoded: Uint8Array): Uint8Array
}

export interface Serdes<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
}
