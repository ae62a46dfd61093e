/**
 * The wire format of every message of the shop: the only file that knows it is JSON or Avro.
 *
 * 1. JSON is written until the serde is opened with a schema registry to write to, Avro from then
 * on; once there is a registry both are read, so that a topic may hold both. 2. `decode` refuses
 * what it does not know: another shape, an unknown type, an unknown major version. The record then
 * goes to the dead letters with its bytes; nothing is guessed. 3. Fields of `data` are checked by
 * the model that receives them. 4. Encoding the same object twice in a row (an event on its topic
 * and on a repartition topic) costs once.
 */

import {
  type AvroSerde,
  type Headers,
  json,
  type JsonSerde,
  type SchemaSession,
  type Serde,
  type SerdePlace,
  type SerdeSchemas,
} from '../../../src/index.ts'
import { avroMessages } from './avro-messages.ts'
import type { CommandEnvelope, EventEnvelope } from './envelope.ts'
import { type ReadVersions, versionsOf } from './message-versions.ts'
import { ShopError } from './shop-error.ts'

type AnyEvent = EventEnvelope<string, unknown>
type AnyCommand = CommandEnvelope<string, unknown>

interface Tags {
  readonly what: 'event' | 'command'
  readonly id: string
  readonly type: string
  readonly version: string
}

const eventTags: Tags = {
  what: 'event',
  id: 'eventId',
  type: 'eventType',
  version: 'eventVersion',
}
const commandTags: Tags = {
  what: 'command',
  id: 'commandId',
  type: 'commandType',
  version: 'commandVersion',
}

/** @param types  every `eventType` the topic may carry */
export const eventSerde = <E extends AnyEvent>(types: readonly E['eventType'][]): Serde<E> =>
  new Messages<E>(eventTags, types)

/** @param types  every `commandType` the topic may carry */
export const commandSerde = <C extends AnyCommand>(types: readonly C['commandType'][]): Serde<C> =>
  new Messages<C>(commandTags, types)

class Messages<T extends object> implements Serde<T> {
  readonly format = 'json'
  readonly schemas: SerdeSchemas
  readonly #tags: Tags
  readonly #versions: ReadonlyMap<string, ReadVersions>
  readonly #json: JsonSerde<T> = json<T>()
  #avro: AvroSerde<T> | undefined
  #writesAvro = false
  #lastValue: T | undefined
  #lastContent: string | Uint8Array = ''

  constructor(tags: Tags, types: readonly string[]) {
    this.#tags = tags
    this.#versions = new Map(types.map((type) => [type, versionsOf(type)]))
    this.schemas = this.#schemas()
  }

  encode(value: T): Uint8Array {
    const content = this.encodeRaw(value)
    return typeof content === 'string' ? Buffer.from(content) : content
  }

  encodeRaw(value: T): string | Uint8Array {
    if (value !== this.#lastValue) {
      this.#lastContent = this.#writesAvro ? this.#avro!.encode(value) : this.#json.encodeRaw(value)
      this.#lastValue = value
    }
    return this.#lastContent
  }

  decode(bytes: Uint8Array): T {
    return bytes[0] === avroMagic
      ? this.#avroOf().decode(bytes)
      : this.#checked(this.#json.decode(bytes))
  }

  decodeSlice(buffer: Buffer, start: number, end: number): T {
    if (buffer[start] === avroMagic) return this.#avroOf().decode(buffer.subarray(start, end))
    return this.#checked(this.#json.decodeSlice(buffer, start, end))
  }

  decodeWith(bytes: Uint8Array, headers: Headers): T {
    return this.#avro?.namesSchema(headers) === true
      ? this.#avro.decodeWith(bytes, headers)
      : this.decode(bytes)
  }

  #schemas(): SerdeSchemas {
    const open = (session: SchemaSession, place: SerdePlace): Promise<void> => {
      this.#avro ??= this.#newAvro()
      this.#writesAvro = false
      return this.#avro.schemas.open(session, place).then(() => {
        this.#writesAvro = !session.isReadOnly
        this.#lastValue = undefined
      })
    }
    const isIdle = (): boolean => this.#avro?.schemas.isIdle !== false
    return {
      open,
      wanted: (place) => this.#newAvro().schemas.wanted(place),
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
      `the ${this.#tags.what} is Avro, or none at all; name the schema registry it was written for`,
    )
  }

  #newAvro(): AvroSerde<T> {
    return avroMessages<T>({
      types: [...this.#versions.keys()],
      typeOf: (message) => String((message as Record<string, unknown>)[this.#tags.type]),
      checked: (message) => this.#checked(message),
    })
  }

  /** The message, of the present major. @throws {ShopError} BAD_MESSAGE */
  #checked(value: T): T {
    const tags = this.#tags
    if (!isObject(value)) throw new ShopError('BAD_MESSAGE', `the ${tags.what} is no JSON object`)
    const { [tags.id]: id, [tags.type]: type, [tags.version]: version, data, metadata } = value
    const versions = typeof type === 'string' ? this.#versions.get(type) : undefined
    if (versions === undefined) {
      throw new ShopError('BAD_MESSAGE', `unknown ${tags.type} ${JSON.stringify(type)} here`)
    }
    if (typeof id !== 'string' || id === '') {
      throw new ShopError('BAD_MESSAGE', `${type} has no ${tags.id}`)
    }
    if (!isObject(data)) throw new ShopError('BAD_MESSAGE', `${type} has no data object`)
    if (!isObject(metadata) || typeof metadata['correlationId'] !== 'string') {
      throw new ShopError('BAD_MESSAGE', `${type} has no metadata.correlationId`)
    }
    if (typeof version === 'string') {
      if (version.startsWith(versions.prefix)) return value
      const { older } = versions
      if (older !== undefined && version.startsWith(older.prefix)) return older.upcast(value) as T
    }
    throw unknownVersion(`${type} has the unknown ${tags.version}`, version, versions)
  }
}

const avroMagic = 0

const unknownVersion = (
  what: string,
  version: unknown,
  { prefix, older }: ReadVersions,
): ShopError => {
  const known = [...(older === undefined ? [] : [older.prefix]), prefix]
  const names = known.map((each) => `${each}x`).join(' and ')
  return new ShopError(
    'BAD_MESSAGE',
    `${what} ${JSON.stringify(version)}; known are versions ${names}`,
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
