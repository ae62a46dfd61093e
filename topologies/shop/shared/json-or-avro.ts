/**
 * A wire format that is JSON until it is opened with a schema registry, Avro from then on.
 *
 * Made by `serde.ts` and `audit-serde.ts`, which say how a value is put into each. 1. Once there is
 * a registry both are read, whatever is written, so that a topic may hold both: the first byte
 * tells. 2. Encoding the same object twice in a row (an event on its topic and on others) costs
 * once.
 */

import {
  type AvroSerde,
  type Headers,
  json,
  type SchemaSession,
  type Serde,
  type SerdePlace,
  type SerdeSchemas,
} from '../../../src/index.ts'
import { ShopError } from './shop-error.ts'

export interface JsonOrAvroOptions<T> {
  /** What a value is, in the words of an error: `event`. */
  readonly what: string
  toJson(value: T): string
  /** @throws {ShopError} BAD_MESSAGE: what is not to be read */
  fromJson(parsed: unknown): T
  /** Called when a registry is there. @throws {Error} a schema is missing: a bug */
  newAvro(): AvroSerde<T>
}

const avroMagic = 0
const parsedJson = json<unknown>()

export class JsonOrAvro<T extends object> implements Serde<T> {
  readonly format = 'json'
  readonly schemas: SerdeSchemas
  readonly #options: JsonOrAvroOptions<T>
  #avro: AvroSerde<T> | undefined
  #writesAvro = false
  #lastValue: T | undefined
  #lastContent: string | Uint8Array = ''

  constructor(options: JsonOrAvroOptions<T>) {
    this.#options = options
    this.schemas = this.#schemas()
  }

  encode(value: T): Uint8Array {
    const content = this.encodeRaw(value)
    return typeof content === 'string' ? Buffer.from(content) : content
  }

  encodeRaw(value: T): string | Uint8Array {
    if (value !== this.#lastValue) {
      this.#lastContent = this.#writesAvro ? this.#avro!.encode(value) : this.#options.toJson(value)
      this.#lastValue = value
    }
    return this.#lastContent
  }

  decode(bytes: Uint8Array): T {
    return bytes[0] === avroMagic
      ? this.#avroOf().decode(bytes)
      : this.#options.fromJson(parsedJson.decode(bytes))
  }

  decodeSlice(buffer: Buffer, start: number, end: number): T {
    if (buffer[start] === avroMagic) return this.#avroOf().decode(buffer.subarray(start, end))
    return this.#options.fromJson(parsedJson.decodeSlice(buffer, start, end))
  }

  decodeWith(bytes: Uint8Array, headers: Headers): T {
    return this.#avro?.namesSchema(headers) === true
      ? this.#avro.decodeWith(bytes, headers)
      : this.decode(bytes)
  }

  #schemas(): SerdeSchemas {
    const open = (session: SchemaSession, place: SerdePlace): Promise<void> => {
      this.#avro ??= this.#options.newAvro()
      this.#writesAvro = false
      return this.#avro.schemas.open(session, place).then(() => {
        this.#writesAvro = !session.isReadOnly
        this.#lastValue = undefined
      })
    }
    const isIdle = (): boolean => this.#avro?.schemas.isIdle !== false
    return {
      open,
      wanted: (place) => this.#options.newAvro().schemas.wanted(place),
      missing: (bytes, headers) => this.#avro?.schemas.missing(bytes, headers),
      ask: (ref) => this.#avroOf().schemas.ask(ref),
      get isIdle() {
        return isIdle()
      },
      isRequired: false,
    }
  }

  #avroOf(): AvroSerde<T> {
    if (this.#avro !== undefined) return this.#avro
    throw new ShopError(
      'BAD_MESSAGE',
      `the ${this.#options.what} is Avro, or none at all; `
        + 'name the schema registry it was written for',
    )
  }
}
