/**
 * What the built-in registry knows: schemas by id, versions by subject, levels. Pure.
 *
 * Filled from the records of its topic, in their order, and only so: what was read back from the
 * log is all there is. The records are those of Confluent's `_schemas`, so that either could read
 * the other's.
 */

import { createHash } from 'node:crypto'
import { type CompatibilityLevel, compatibilityLevels, type SubjectVersion } from './port.ts'

export interface SchemaRecord {
  readonly key: string
  readonly value: string
}

/** Of Confluent's records; the order of fields is theirs. */
export const versionRecord = ({ subject, version, id, schema }: SubjectVersion): SchemaRecord => ({
  key: JSON.stringify({ keytype: 'SCHEMA', subject, version, magic: 1 }),
  value: JSON.stringify({ subject, version, id, schema, deleted: false }),
})

export const levelRecord = (
  compatibilityLevel: CompatibilityLevel,
  subject?: string,
): SchemaRecord => ({
  key: JSON.stringify({ keytype: 'CONFIG', subject: subject ?? null, magic: 0 }),
  value: JSON.stringify({ compatibilityLevel }),
})

/** One text per schema, however it was laid out. @throws {SyntaxError} no JSON */
export const canonicalText = (schema: string): string => JSON.stringify(JSON.parse(schema))

/** The same for the same schema, here and in every other registry of ours. */
export const guidOf = (schema: string): string => {
  const hex = createHash('sha256').update(schema).digest('hex')
  return [0, 8, 12, 16, 20].map((start, i) => hex.slice(start, [8, 12, 16, 20, 32][i])).join('-')
}

export class SchemaTables {
  readonly #schemas = new Map<number, string>()
  readonly #ids = new Map<string, number>()
  readonly #guids = new Map<string, string>()
  readonly #subjects = new Map<string, SubjectVersion[]>()
  readonly #levels = new Map<string | undefined, CompatibilityLevel>()

  /** Records of kinds that are not known are left out. */
  apply({ key, value }: SchemaRecord): void {
    const { keytype, subject } = JSON.parse(key) as Readonly<Record<string, unknown>>
    if (keytype === 'SCHEMA') this.#addVersion(JSON.parse(value) as SubjectVersion)
    if (keytype !== 'CONFIG') return
    const { compatibilityLevel: level } = JSON.parse(value) as Readonly<Record<string, unknown>>
    const known = compatibilityLevels.find((name) => name === level)
    if (known !== undefined) this.#levels.set((subject as string | null) ?? undefined, known)
  }

  get subjects(): readonly string[] {
    return [...this.#subjects.keys()].toSorted()
  }

  versions(subject: string): readonly SubjectVersion[] {
    return this.#subjects.get(subject) ?? []
  }

  schema(ref: number | string): string | undefined {
    return typeof ref === 'number' ? this.#schemas.get(ref) : this.#guids.get(ref)
  }

  /** The one it has, or the next free one. */
  idOf(schema: string): number {
    return this.#ids.get(schema) ?? Math.max(0, ...this.#schemas.keys()) + 1
  }

  level(subject?: string): CompatibilityLevel {
    return this.#levels.get(subject) ?? this.#levels.get(undefined) ?? 'BACKWARD_TRANSITIVE'
  }

  #addVersion({ subject, version, id, schema }: SubjectVersion): void {
    this.#schemas.set(id, schema)
    this.#ids.set(schema, id)
    this.#guids.set(guidOf(schema), schema)
    const others = this.versions(subject).filter((each) => each.version !== version)
    this.#subjects.set(
      subject,
      [...others, { subject, version, id, schema }].toSorted((a, b) => a.version - b.version),
    )
  }
}
