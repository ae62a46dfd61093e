/**
 * Avro values whose schemas lie in a schema registry, in Confluent's wire format.
 *
 * 1. The ids that are written are found when the serde is opened, so encoding never waits. 2. The
 * schema a record was written with is looked up before its batch is enqueued: see `SerdeSchemas`.
 * 3. What was written by any schema that the reader's can resolve is read; the rest is refused.
 * 4. Values are plain: what `JSON.parse` gives, optional fields absent, never null; a long is a
 * number within ±2^52: see `avro-long.ts`. 5. For topics;
 * a store has its rows before a registry answers.
 */

import avro from 'avsc'
import type { Headers } from '../record.ts'
import { avroTypeOf } from '../schema-registry/compatibility.ts'
import type { WantedSchema } from '../schema-registry/evolution.ts'
import type { SchemaRef } from '../schema-registry/port.ts'
import type { SchemaSession } from '../schema-registry/schema-session.ts'
import {
  frameBytes,
  frameId,
  hasHeaderRef,
  headerRef,
  isFramed,
  type RecordPart,
} from './avro-frame.ts'
import { bodyCheck } from './avro-check.ts'
import { exactLongFor } from './avro-long.ts'
import { plainOf } from './avro-plain.ts'
import { IsoTimestamp } from './avro-timestamp.ts'
import type { Serde, SerdePlace, SerdeSchemas } from './serde.ts'

/** A schema as JSON: the content of an `.avsc` file, parsed. */
export type AvroSchema = Readonly<Record<string, unknown>>

export interface AvroOptions<T> {
  /** Every record that is written and read; at least one. */
  readonly schemas: readonly AvroSchema[]
  /** Records that are read only: earlier majors under names of their own. */
  readonly olderSchemas?: readonly AvroSchema[]
  /** Full name of the record as which a value is written; needed with several schemas. */
  nameOf?(value: T): string
  /** After reading, with the full name of the reader's record: for upcasts. */
  onRead?(value: unknown, name: string): T
  /** `timestamp-millis` as ISO-8601 text instead of ms; default `ms`. */
  readonly timestamps?: 'ms' | 'iso'
  /** `<topic>-<record>`, `<topic>-value` or `<record>`; default `topicRecord`. */
  readonly subjects?: SubjectNaming
}

export type SubjectNaming = 'topicRecord' | 'topic' | 'record'

export interface AvroSerde<T> extends Serde<T> {
  readonly schemas: SerdeSchemas
  encodeRaw(value: T): Uint8Array
  decodeWith(bytes: Uint8Array, headers: Headers): T
  /** Whether the headers say of which schema the bytes are: then they have no frame. */
  namesSchema(headers: Headers): boolean
}

/** @throws {SchemaRegistryError} SCHEMA_INVALID: one of the schemas is none */
export const avroSerde = <T>(options: AvroOptions<T>): AvroSerde<T> => new Avro(options)

interface Writer {
  readonly type: avro.Type
  readonly schema: string
  /** Unknown until the serde is opened. */
  id: number | undefined
}

type Decode = (body: Buffer) => unknown

const scratchBytes = 4_096

class Avro<T> implements AvroSerde<T> {
  readonly format = 'avro'
  readonly schemas: SerdeSchemas
  readonly #options: AvroOptions<T>
  readonly #writers: ReadonlyMap<string, Writer>
  readonly #readers: ReadonlyMap<string, avro.Type>
  readonly #decoders = new Map<SchemaRef, Decode>()
  #session: SchemaSession | undefined
  #part: RecordPart = 'value'
  #scratch = Buffer.allocUnsafe(scratchBytes)

  constructor(options: AvroOptions<T>) {
    this.#options = options
    const typed = options.schemas.map((schema) => ({ schema, type: this.#typeOf(schema) }))
    this.#writers = new Map(
      typed.map(({ schema, type }) => [
        nameOf(type),
        { type, schema: JSON.stringify(schema), id: undefined },
      ]),
    )
    const older = (options.olderSchemas ?? []).map((schema) => this.#typeOf(schema))
    this.#readers = new Map(
      [...typed.map(({ type }) => type), ...older].map((type) => [nameOf(type), type]),
    )
    this.schemas = this.#schemas()
  }

  encode(value: T): Uint8Array {
    return Uint8Array.from(this.encodeRaw(value))
  }

  encodeRaw(value: T): Uint8Array {
    const { type, id } = this.#writerOf(value)
    if (id === undefined) throw new TypeError(notOpened)
    let end = type.encode(value, this.#scratch, frameBytes)
    if (end < 0) {
      this.#scratch = Buffer.allocUnsafe(2 * (this.#scratch.length - end))
      end = type.encode(value, this.#scratch, frameBytes)
    }
    this.#scratch[0] = 0
    this.#scratch.writeUInt32BE(id, 1)
    return this.#scratch.subarray(0, end)
  }

  decode(bytes: Uint8Array): T {
    return this.#decoded(frameId(bytes), bodyOf(bytes, frameBytes))
  }

  decodeWith(bytes: Uint8Array, headers: Headers): T {
    const ref = headerRef(headers, this.#part)
    return ref === undefined ? this.decode(bytes) : this.#decoded(ref, bodyOf(bytes, 0))
  }

  namesSchema(headers: Headers): boolean {
    return hasHeaderRef(headers, this.#part)
  }

  #wanted(place: SerdePlace): readonly WantedSchema[] {
    return [...this.#writers].map(([name, { schema }]) => ({
      subject: subjectOf(this.#options.subjects ?? 'topicRecord', name, place),
      schema,
    }))
  }

  #schemas(): SerdeSchemas {
    const isIdle = (): boolean => this.#session === undefined
    return {
      open: (session, place) => this.#open(session, place),
      wanted: (place) => this.#wanted(place),
      missing: (bytes, headers) => this.#missing(bytes, headers),
      ask: (ref) => this.#session!.ask(ref),
      get isIdle() {
        return isIdle()
      },
      isRequired: true,
    }
  }

  async #open(session: SchemaSession, place: SerdePlace): Promise<void> {
    this.#part = place.part
    if (session !== this.#session) this.#forget()
    // an internal topic that shares its serde with others needs no subjects of its own
    const isDone =
      place.isInternal && [...this.#writers.values()].every(({ id }) => id !== undefined)
    if (!session.isReadOnly && !isDone) {
      const writers = [...this.#writers.values()]
      for (const [index, { subject, schema }] of this.#wanted(place).entries()) {
        const id = await session.writerId(subject, schema)
        const writer = writers[index]!
        if (writer.id !== undefined && writer.id !== id) {
          throw new TypeError(`${subject}: one schema has the ids ${writer.id} and ${id}`)
        }
        writer.id = id
      }
    }
    this.#session = session
  }

  /** Ids mean nothing to another registry. */
  #forget(): void {
    this.#session = undefined
    this.#decoders.clear()
    for (const writer of this.#writers.values()) writer.id = undefined
  }

  #missing(bytes: Uint8Array, headers: Headers): SchemaRef | undefined {
    const ref = refOf(bytes, headers, this.#part)
    if (ref === undefined || this.#decoders.has(ref)) return undefined
    return this.#session!.isFresh(ref) ? undefined : ref
  }

  #decoded(ref: SchemaRef, body: Buffer): T {
    const decode = this.#decoders.get(ref) ?? this.#newDecoder(ref)
    return decode(body) as T
  }

  #newDecoder(ref: SchemaRef): Decode {
    if (this.#session === undefined) throw new TypeError(notOpened)
    const known = this.#session.known(ref)
    if (known === undefined) throw new TypeError(`schema ${ref} was not looked up`)
    if ('unknown' in known) throw new TypeError(`schema ${ref} is unknown: ${known.unknown}`)
    const writer = avroTypeOf(known.schema)
    const reader = this.#readerOf(writer)
    const resolver = reader.createResolver(writer)
    const [check, plain, name] = [bodyCheck(writer), plainOf(reader), nameOf(reader)]
    const { onRead } = this.#options
    const decode: Decode = (body) => {
      check(body)
      const value = plain(reader.fromBuffer(body, resolver))
      return onRead === undefined ? value : onRead(value, name)
    }
    this.#decoders.set(ref, decode)
    return decode
  }

  /** By the writer's name, or an alias of a reader; without a choice, the only one. */
  #readerOf(writer: avro.Type): avro.Type {
    const name = nameOf(writer)
    const found =
      this.#readers.get(name)
      ?? [...this.#readers.values()].find(({ aliases }) => aliases?.includes(name))
      ?? (this.#readers.size === 1 ? [...this.#readers.values()][0] : undefined)
    if (found !== undefined) return found
    const readable = [...this.#readers.keys()].join(', ')
    throw new TypeError(`${name} is none of the records that are read here: ${readable}`)
  }

  #writerOf(value: T): Writer {
    const { nameOf: chosen } = this.#options
    const [only] = this.#writers.values()
    if (chosen === undefined && this.#writers.size === 1) return only!
    const name = chosen?.(value)
    const writer = name === undefined ? undefined : this.#writers.get(name)
    if (writer !== undefined) return writer
    throw new TypeError(`no schema is written as ${name}; nameOf must name one`)
  }

  #typeOf(schema: AvroSchema): avro.Type {
    avroTypeOf(JSON.stringify(schema)) // says what is wrong with it
    const logicalTypes: Readonly<Record<string, typeof IsoTimestamp>> =
      this.#options.timestamps === 'iso' ? { 'timestamp-millis': IsoTimestamp } : {}
    return avro.Type.forSchema(schema as unknown as avro.Schema, {
      logicalTypes,
      typeHook: (part) => exactLongFor(part, Object.keys(logicalTypes)),
    })
  }
}

const notOpened = 'Avro needs a schema registry, and none was opened: name one'

/** Of what has no name, the kind: `string`. */
const nameOf = (type: avro.Type): string => type.name ?? type.typeName

const subjectOf = (naming: SubjectNaming, name: string, { topic, part }: SerdePlace): string => {
  if (naming === 'topic') return `${topic}-${part}`
  return naming === 'record' ? name : `${topic}-${name}`
}

const refOf = (bytes: Uint8Array, headers: Headers, part: RecordPart): SchemaRef | undefined => {
  try {
    return headerRef(headers, part) ?? (isFramed(bytes) ? frameId(bytes) : undefined)
  } catch {
    return undefined // decoding will refuse it, with the reason
  }
}

const bodyOf = (bytes: Uint8Array, start: number): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, bytes.length - start)
