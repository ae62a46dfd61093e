import type { Headers } from '../record.ts'
import type { WantedSchema } from '../schema-registry/evolution.ts'
import type { SchemaRef } from '../schema-registry/port.ts'
import type { SchemaSession } from '../schema-registry/schema-session.ts'
import type { RecordPart } from './avro-frame.ts'

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
  /**
   * True if nothing that is decoded shares memory with its bytes, so that these may be used again
   * as soon as the record is done. Absent: they are left to the garbage collector.
   */
  readonly copies?: boolean
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
   * Optional, for speed: whether these bytes are sure to decode, and their value to encode to the
   * same bytes again. Records that go on to a topic unchanged are then copied instead.
   */
  keepsBytes?(buffer: Buffer, start: number, end: number): boolean
  /**
   * Optional: the value without what `encode` leaves out of it, a new object if there is such.
   *
   * A store that holds values decoded holds this: it must not depend on what is cached.
   */
  keptOf?(value: T): T
  /**
   * Optional, of keys: the part of the encoded bytes that decides the partition; default all.
   *
   * Not together with `encodeRaw`.
   */
  partitionBytes?(encoded: Uint8Array): Uint8Array
  /** Optional: formats that need something from outside before they can be read or written. */
  readonly schemas?: SerdeSchemas
  /** Optional: `decode` of a record with headers, for formats that keep a part of them there. */
  decodeWith?(bytes: Uint8Array, headers: Headers): T
}

/**
 * The face of a serde whose schemas lie in a registry.
 *
 * ```
 *   open ──► encode, decode of what is known ──► missing? ──ask──► decode
 * ```
 */
export interface SerdeSchemas {
  /**
   * Called for each topic before its first use; finds the ids that are written.
   *
   * @throws {SchemaRegistryError} `retry`: again later; `stop`: the message says what to do
   */
  open(session: SchemaSession, place: SerdePlace): Promise<void>
  /**
   * What `decode` would miss; undefined if it has what it needs, or will refuse the bytes anyway.
   * Called for every fetched record, unless `isIdle`.
   */
  missing(bytes: Uint8Array, headers: Headers): SchemaRef | undefined
  /** Subject and schema of everything that is written to a topic. */
  wanted(place: SerdePlace): readonly WantedSchema[]
  /** Looks up what is missing. @throws {SchemaRegistryError} not now: again later */
  ask(ref: SchemaRef): Promise<void>
  /** True while no schema is ever missing, as long as it was not opened. */
  readonly isIdle: boolean
  /** False if it can do without, in another format. */
  readonly isRequired: boolean
}

export interface SerdePlace {
  readonly topic: string
  readonly part: RecordPart
  /** Owned by the application: registered only if no other topic of the serde is. */
  readonly isInternal: boolean
}

export interface Serdes<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
}
