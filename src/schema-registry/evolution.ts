/**
 * How the schemas of an application stand to those of a registry, and what would bring them there.
 *
 * Called by `millrace schema` and by a session that registers what it writes. 1. A new version must
 * read every earlier one (BACKWARD_TRANSITIVE), whatever the registry is set to; the subject is
 * then set to that. 2. Planning changes nothing.
 */

import { evolutionProblems } from './compatibility.ts'
import { SchemaRegistryError } from './errors.ts'
import type { SchemaRegistry } from './port.ts'

export interface WantedSchema {
  readonly subject: string
  readonly schema: string
}

export interface SchemaStep extends WantedSchema {
  /** `create`: the first version of its subject. */
  readonly action: 'ok' | 'create' | 'add version' | 'refused'
  /** The one that it is, or would be. */
  readonly version: number
  /** The newest one there is. */
  readonly latest?: string
  /** Why it is refused. */
  readonly reasons: readonly string[]
}

export const wantedLevel = 'BACKWARD_TRANSITIVE'

export const planSchema = async (
  registry: SchemaRegistry,
  wanted: WantedSchema,
): Promise<SchemaStep> => {
  const { subject, schema } = wanted
  const found = await registry.find(subject, schema)
  if (found !== undefined) {
    return { ...wanted, action: 'ok', version: found.version, reasons: [] }
  }
  const numbers = (await registry.versions(subject)).toSorted((a, b) => a - b)
  const versions = await Promise.all(numbers.map((number) => registry.version(subject, number)))
  const reasons = evolutionProblems(schema, versions, wantedLevel)
  const action = reasons.length > 0 ? 'refused' : versions.length === 0 ? 'create' : 'add version'
  const latest = versions.at(-1)?.schema
  const version = (numbers.at(-1) ?? 0) + 1
  return { ...wanted, action, version, reasons, ...(latest !== undefined && { latest }) }
}

/**
 * Carries out what was planned. @returns the id
 *
 * @throws {SchemaRegistryError} SCHEMA_INCOMPATIBLE, from a registry that knows better
 */
export const applySchemaStep = async (
  registry: SchemaRegistry,
  { subject, schema }: WantedSchema,
): Promise<number> => {
  const id = await registry.register(subject, schema)
  const level = await registry.level(subject)
  if (level !== wantedLevel) await registry.setLevel(wantedLevel, subject)
  return id
}

/** @throws {SchemaRegistryError} SCHEMA_INCOMPATIBLE: the message has every reason */
export const registerEvolved = async (
  registry: SchemaRegistry,
  wanted: WantedSchema,
): Promise<number> => {
  const step = await planSchema(registry, wanted)
  if (step.action === 'refused') {
    const message = `${wanted.subject}: ${step.reasons.join('; ')}`
    throw new SchemaRegistryError('SCHEMA_INCOMPATIBLE', message)
  }
  return applySchemaStep(registry, wanted)
}
