/**
 * The schema registry of a command, out of its settings: one named by its URL, or the built-in one
 * of the embedded broker.
 *
 * Used by everything that reads or writes the shop's topics. 1. With JSON and without a URL nothing
 * is opened, unless schemas were registered on this broker before: then what is still there in
 * Avro can be read. 2. A password is no flag, as for Kafka. 3. What does not fit together is
 * refused before anything is opened.
 */

import { readFileSync } from 'node:fs'
import type { TopicNames } from '../../topologies/shop/shared/topic-names.ts'
import { topicCatalogue } from '../../topologies/shop/shared/topics.ts'
import type { Broker } from '../broker/port.ts'
import { systemClock } from '../clock.ts'
import type { Settings } from '../config/settings.ts'
import { UsageError } from '../config/usage-error.ts'
import type { HttpAuth } from '../http-client/http-auth.ts'
import { openSerdes, type SchemaTopic } from '../runtime/open-schemas.ts'
import { BuiltInRegistry } from '../schema-registry/built-in-registry.ts'
import { HttpRegistry } from '../schema-registry/http-registry.ts'
import { SchemaSession } from '../schema-registry/schema-session.ts'

export interface SchemaAccess {
  /** For the serdes; undefined if everything is JSON. */
  readonly session: SchemaSession | undefined
  /** To be served to others; undefined if it is not ours. */
  readonly builtIn: BuiltInRegistry | undefined
}

/**
 * @param parts  closes what is opened
 * @throws {UsageError} a file cannot be read; no URL
 */
export const openSchemaAccess = async (
  settings: Settings,
  broker: Broker,
  parts: AsyncDisposableStack,
): Promise<SchemaAccess> => {
  const isReadOnly = settings.serialization === 'json'
  const registry = namedRegistry(settings)
  if (registry !== undefined) {
    parts.defer(() => registry.close())
    const registers = settings.registerSchemas
    const session = new SchemaSession({ registry, clock: systemClock, registers, isReadOnly })
    return { session, builtIn: undefined }
  }
  const none = { session: undefined, builtIn: undefined }
  // Kafka's is named, if there is one: an id must mean the same to everybody
  if (broker.kind === 'kafka') return none
  if (isReadOnly && !(await BuiltInRegistry.isUsed(broker))) return none
  const builtIn = await BuiltInRegistry.open(broker, systemClock)
  parts.defer(() => builtIn.close())
  const options = { registry: builtIn, clock: systemClock, registers: true, isReadOnly }
  return { session: new SchemaSession(options), builtIn }
}

/** The registry of --schema-registry, if there is that. @throws {UsageError} no URL, no file */
export const namedRegistry = (settings: Settings): HttpRegistry | undefined => {
  const { schemaRegistry: url, schemaRegistryCa: ca } = settings
  if (url === undefined) return undefined
  const auth = authOf(settings)
  try {
    return new HttpRegistry({
      url,
      clock: systemClock,
      ...(auth !== undefined && { auth }),
      ...(ca !== undefined && { ca: readFileSync(ca) }),
    })
  } catch (error) {
    throw new UsageError(`--schema-registry: ${(error as Error).message}`)
  }
}

/** Opens the serdes of the shop for a command that runs no application. */
export const openShopSerdes = async (
  { session }: SchemaAccess,
  names: TopicNames,
): Promise<void> => {
  if (session !== undefined) await openSerdes(shopSchemaTopics(names), session)
}

export const shopSchemaTopics = (names: TopicNames): readonly SchemaTopic[] =>
  topicCatalogue.map(({ topic }) => ({
    handle: topic,
    name: names.of(topic.name),
    isInternal: false,
  }))

const authOf = (settings: Settings): HttpAuth | undefined => {
  const { schemaRegistryUsername: username, schemaRegistryPassword: secret } = settings
  if (secret === undefined) {
    if (username === undefined) return undefined
    throw new UsageError(
      '--schema-registry-username needs a password: MILLRACE_SCHEMA_REGISTRY_PASSWORD',
    )
  }
  return username === undefined
    ? { kind: 'bearer', token: secret }
    : { kind: 'basic', username, password: secret }
}
