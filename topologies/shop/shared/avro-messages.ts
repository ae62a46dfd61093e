/**
 * The messages of the shop in Avro: which schema stands for which type, read from `../schemas/`.
 *
 * Called by `serde.ts` when a registry is there. 1. A message of type `order.created`, version 1.x,
 * is the record `millrace.shop.v1.OrderCreated`: a major has a namespace, and so subjects, of its
 * own. 2. The file is named after the type; `<type>.v1.avsc` is the older major.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AvroSchema, type AvroSerde, avroSerde } from '../../../src/index.ts'
import { versionsOf } from './message-versions.ts'

const folder = join(import.meta.dirname, '..', 'schemas')

/** @param given  the type of a message, such as `order.created` */
export const recordName = (given: string, major = versionsOf(given).major): string => {
  const words = given.split(/[.-]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return `millrace.shop.v${major}.${words.join('')}`
}

export interface AvroMessageOptions<T> {
  /** Every type that the topic may carry. */
  readonly types: readonly string[]
  typeOf(message: T): string
  /** @throws {ShopError} what is not to be read */
  checked(message: T): T
}

/** @throws {Error} a file is missing: a bug */
export const avroMessages = <T extends object>({
  types,
  typeOf,
  checked,
}: AvroMessageOptions<T>): AvroSerde<T> => {
  const names = new Map(types.map((type) => [type, recordName(type)]))
  const typeNames = new Map(types.flatMap((type) => readableNames(type).map((n) => [n, type])))
  return avroSerde<T>({
    schemas: types.map((type) => schemaFile(type)),
    olderSchemas: types.flatMap((type) =>
      versionsOf(type).older === undefined ? [] : [schemaFile(`${type}.v${olderMajor(type)}`)],
    ),
    nameOf: (message) => names.get(typeOf(message)) ?? typeOf(message),
    onRead: (value, name) => {
      const message = value as T
      if (typeNames.get(name) === typeOf(message)) return checked(message)
      throw new TypeError(`the record ${name} says that it is ${JSON.stringify(typeOf(message))}`)
    },
    timestamps: 'iso',
  })
}

const olderMajor = (type: string): number => versionsOf(type).major - 1

const readableNames = (type: string): readonly string[] =>
  versionsOf(type).older === undefined
    ? [recordName(type)]
    : [recordName(type), recordName(type, olderMajor(type))]

/** @throws {Error} there is none: a bug */
export const schemaFile = (name: string): AvroSchema =>
  JSON.parse(readFileSync(join(folder, `${name}.avsc`), 'utf8')) as AvroSchema
