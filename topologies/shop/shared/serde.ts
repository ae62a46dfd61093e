/**
 * The wire format of every message of the shop: the only file that knows it is JSON.
 *
 * 1. `decode` refuses what it does not know: another shape, an unknown type, an unknown major
 * version. The record then goes to the dead letters with its bytes; nothing is guessed. 2. Fields
 * of `data` are checked by the model that receives them. 3. Encoding the same object twice in a
 * row (an event on its topic and on a repartition topic) costs once.
 */

import { json, type Serde } from '../../../src/index.ts'
import { type CommandEnvelope, type EventEnvelope } from './envelope.ts'
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
  checkedJson<E>(eventTags, types)

/** @param types  every `commandType` the topic may carry */
export const commandSerde = <C extends AnyCommand>(types: readonly C['commandType'][]): Serde<C> =>
  checkedJson<C>(commandTags, types)

const checkedJson = <T extends object>(tags: Tags, types: readonly string[]): Serde<T> => {
  const { format, decode, decodeSlice, encodeRaw } = json<T>()
  const known: ReadonlySet<string> = new Set(types)
  const checked = (value: T): T => {
    checkEnvelope(value, tags, known)
    return value
  }
  let lastValue: T | undefined
  let lastText = ''
  const textOf = (value: T): string => {
    if (value !== lastValue) {
      lastText = encodeRaw(value)
      lastValue = value
    }
    return lastText
  }
  return {
    format,
    encode: (value) => Buffer.from(textOf(value)),
    encodeRaw: textOf,
    decode: (bytes) => checked(decode(bytes)),
    decodeSlice: (buffer, start, end) => checked(decodeSlice(buffer, start, end)),
  }
}

const checkEnvelope = (value: unknown, tags: Tags, known: ReadonlySet<string>): void => {
  if (!isObject(value)) throw new ShopError('BAD_MESSAGE', `the ${tags.what} is no JSON object`)
  const { [tags.id]: id, [tags.type]: type, [tags.version]: version, data, metadata } = value
  if (typeof type !== 'string' || !known.has(type)) {
    throw new ShopError('BAD_MESSAGE', `unknown ${tags.type} ${JSON.stringify(type)} here`)
  }
  if (typeof version !== 'string' || !version.startsWith('1.')) {
    throw new ShopError(
      'BAD_MESSAGE',
      `${type} has the unknown ${tags.version} `
        + `${JSON.stringify(version)}; known are versions 1.x`,
    )
  }
  if (typeof id !== 'string' || id === '') {
    throw new ShopError('BAD_MESSAGE', `${type} has no ${tags.id}`)
  }
  if (!isObject(data)) throw new ShopError('BAD_MESSAGE', `${type} has no data object`)
  if (!isObject(metadata) || typeof metadata['correlationId'] !== 'string') {
    throw new ShopError('BAD_MESSAGE', `${type} has no metadata.correlationId`)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
