/**
 * What is asked of a schema registry, in the words of Confluent's API. Two implementations:
 * `http-registry.ts` (any that speaks it) and `built-in-registry.ts` (on the embedded broker).
 *
 * Both pass `test/contract/registry-contract.ts`. 1. Schemas are texts of JSON, Avro only. 2. An id
 * stands for one schema for ever, whatever the subject. 3. Failures are SchemaRegistryErrors, whose
 * `action` says what the caller does.
 */

/** An id of wire format 0, or a GUID (32 hex digits with dashes) of wire format 1. */
export type SchemaRef = number | string

export interface SubjectVersion {
  readonly subject: string
  /** 1 and up, within the subject. */
  readonly version: number
  readonly id: number
  readonly schema: string
}

export const compatibilityLevels = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const

export type CompatibilityLevel = (typeof compatibilityLevels)[number]

export interface CompatibilityAnswer {
  readonly isCompatible: boolean
  /** Why not, as far as the registry says so. */
  readonly messages: readonly string[]
}

export interface SchemaRegistry {
  subjects(): Promise<readonly string[]>
  /** Empty if there is no such subject. */
  versions(subject: string): Promise<readonly number[]>
  /** @throws {SchemaRegistryError} SCHEMA_UNKNOWN */
  version(subject: string, version: number | 'latest'): Promise<SubjectVersion>
  /** @throws {SchemaRegistryError} SCHEMA_UNKNOWN: nobody registered it */
  schema(ref: SchemaRef): Promise<string>
  /**
   * The same schema again gives the same id.
   *
   * @throws {SchemaRegistryError} SCHEMA_INCOMPATIBLE; SCHEMA_INVALID: no Avro schema
   */
  register(subject: string, schema: string): Promise<number>
  /** The version of this subject that is this very schema; undefined if there is none. */
  find(subject: string, schema: string): Promise<SubjectVersion | undefined>
  /** Whether it could be registered; a subject without versions takes everything. */
  compatibility(subject: string, schema: string): Promise<CompatibilityAnswer>
  /** What holds for a subject, its own or the general level; without one, the general. */
  level(subject?: string): Promise<CompatibilityLevel>
  setLevel(level: CompatibilityLevel, subject?: string): Promise<void>
  close(): Promise<void>
}
