/**
 * Whether a schema can read what another one wrote, by the rules of Avro's schema resolution.
 *
 * Called by the built-in registry and before anything is registered elsewhere: a registry may be
 * set to a weaker level than the shop needs. Pure.
 */

import avro from 'avsc'
import { SchemaRegistryError } from './errors.ts'
import type { CompatibilityLevel } from './port.ts'

/**
 * @returns undefined if it is one
 * @throws  {SchemaRegistryError} SCHEMA_INVALID: no Avro schema; the message says what is wrong
 */
export const avroTypeOf = (schema: string): avro.Type => {
  try {
    return avro.Type.forSchema(JSON.parse(schema) as avro.Schema, {})
  } catch (error) {
    const message = `no Avro schema: ${(error as Error).message}`
    throw new SchemaRegistryError('SCHEMA_INVALID', message, error)
  }
}

/** @returns why not, or undefined if it can */
export const readProblem = (reader: string, writer: string): string | undefined => {
  const [readerType, writerType] = [avroTypeOf(reader), avroTypeOf(writer)]
  try {
    readerType.createResolver(writerType)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * What stands against a new version.
 *
 * @param versions  the earlier ones, oldest first
 */
export const evolutionProblems = (
  schema: string,
  versions: readonly { readonly version: number; readonly schema: string }[],
  level: CompatibilityLevel,
): readonly string[] => {
  if (level === 'NONE') return []
  const compared = level.endsWith('_TRANSITIVE') ? versions : versions.slice(-1)
  const isBackward = !level.startsWith('FORWARD')
  const isForward = !level.startsWith('BACKWARD')
  return compared.flatMap(({ version, schema: earlier }) => {
    const back = isBackward ? readProblem(schema, earlier) : undefined
    const forth = isForward ? readProblem(earlier, schema) : undefined
    return [
      ...(back === undefined ? [] : [`it cannot read version ${version}: ${back}`]),
      ...(forth === undefined ? [] : [`version ${version} cannot read it: ${forth}`]),
    ]
  })
}
