/**
 * The wire format of every event and command of the shop: what is written, what is read.
 *
 * 1. JSON or Avro: see `json-or-avro.ts`. 2. `decode` refuses what it does not know: another shape,
 * an unknown type, an unknown major version. The record then goes to the dead letters with its
 * bytes; nothing is guessed. 3. Fields of `data` are checked by the model that receives them.
 */

import { json, type Serde } from '../../../src/index.ts'
import { avroMessages } from './avro-messages.ts'
import type { CommandEnvelope, EventEnvelope } from './envelope.ts'
import { JsonOrAvro } from './json-or-avro.ts'
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
  messages<E>(eventTags, types)

/** @param types  every `commandType` the topic may carry */
export const commandSerde = <C extends AnyCommand>(types: readonly C['commandType'][]): Serde<C> =>
  messages<C>(commandTags, types)

const messages = <T extends object>(tags: Tags, types: readonly string[]): Serde<T> => {
  const versions = new Map(types.map((type) => [type, versionsOf(type)]))
  const checked = (value: unknown): T => checkedMessage<T>(value, tags, versions)
  return new JsonOrAvro<T>({
    what: tags.what,
    toJson: (message) => json<T>().encodeRaw(message),
    fromJson: checked,
    newAvro: () =>
      avroMessages<T>({
        types,
        typeOf: (message) => String((message as Record<string, unknown>)[tags.type]),
        checked,
      }),
  })
}

/** The message, of the present major. @throws {ShopError} BAD_MESSAGE */
const checkedMessage = <T>(
  value: unknown,
  tags: Tags,
  known: ReadonlyMap<string, ReadVersions>,
): T => {
  if (!isObject(value)) throw new ShopError('BAD_MESSAGE', `the ${tags.what} is no JSON object`)
  const { [tags.id]: id, [tags.type]: type, [tags.version]: version, data, metadata } = value
  const versions = typeof type === 'string' ? known.get(type) : undefined
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
    if (version.startsWith(versions.prefix)) return value as T
    const { older } = versions
    if (older !== undefined && version.startsWith(older.prefix)) return older.upcast(value) as T
  }
  throw unknownVersion(`${type} has the unknown ${tags.version}`, version, versions)
}

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
