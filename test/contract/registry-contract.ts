/**
 * Goal: every registry behind `src/schema-registry/port.ts` keeps the same promises, so that what
 * holds on the built-in one holds on those of others. Method: one suite over the port only; each
 * test takes subjects of its own, since a real registry keeps what others left.
 */

import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { CompatibilityLevel, SchemaRegistry } from '../../src/schema-registry/port.ts'
import { SchemaSession } from '../../src/schema-registry/schema-session.ts'
import { avroSerde } from '../../src/serde/avro.ts'

let subjects = 0
const newSubject = (): string => `contract/${process.pid}-${(subjects += 1)}.Ä`

const text = (value: object): string => JSON.stringify(value)

const record = (name: string, ...fields: readonly object[]): string =>
  text({ type: 'record', name, fields })

const id = { name: 'id', type: 'string' }
const count = { name: 'count', type: 'int', default: 0 }
/** As a text it cannot take what was a number, but is fine for who never had one. */
const countText = { name: 'count', type: 'string', default: '' }

/** @param supports.guids  it knows the GUIDs of wire format 1 */
export const registryContract = (
  name: string,
  open: () => Promise<SchemaRegistry>,
  supports: { readonly guidOf?: (schema: string) => string } = {},
): void => {
  describe(`registry contract: ${name}`, () => {
    it('gives a schema one id, in every subject', async () => {
      const registry = await open()
      const [one, other] = [newSubject(), newSubject()]
      const schema = record('Same', id)
      const first = await registry.register(one, schema)
      expect(await registry.register(one, schema)).toBe(first)
      expect(await registry.register(other, schema)).toBe(first)
      expect(await registry.versions(one)).toEqual([1])
      expect(JSON.parse(await registry.schema(first))).toEqual(JSON.parse(schema))
      expect(await registry.find(one, schema)).toMatchObject({
        subject: one,
        version: 1,
        id: first,
      })
      expect(await registry.subjects()).toEqual(expect.arrayContaining([one, other]))
    })

    it('gives it once to who ask at once', async () => {
      const registry = await open()
      const subject = newSubject()
      const schema = record('AtOnce', id)
      const ids = await Promise.all(Array.from({ length: 5 }, () => registry.find(subject, schema)))
      expect(ids).toEqual(Array.from({ length: 5 }, () => undefined))
      const session = new SchemaSession({ registry, clock: systemClock, registers: true })
      const made = await Promise.all(
        Array.from({ length: 5 }, () => session.writerId(subject, schema)),
      )
      expect(new Set(made).size).toBe(1)
      expect(await registry.versions(subject)).toEqual([1])
    })

    it('numbers the versions of a subject', async () => {
      const registry = await open()
      const subject = newSubject()
      const [v1, v2] = [record('Numbered', id), record('Numbered', id, count)]
      await registry.register(subject, v1)
      const second = await registry.register(subject, v2)
      expect(await registry.versions(subject)).toEqual([1, 2])
      expect(await registry.version(subject, 1)).toMatchObject({ version: 1, subject })
      const latest = await registry.version(subject, 'latest')
      expect(latest).toMatchObject({ version: 2, id: second })
      expect(JSON.parse(latest.schema)).toEqual(JSON.parse(v2))
    })

    it('says what is not there', async () => {
      const registry = await open()
      const [subject, gone] = [newSubject(), newSubject()]
      const schema = record('There', id)
      await registry.register(subject, schema)
      const unknown = { code: 'SCHEMA_UNKNOWN', action: 'skip' }
      await expect(registry.schema(2 ** 31 - 1)).rejects.toMatchObject(unknown)
      await expect(registry.version(gone, 'latest')).rejects.toMatchObject(unknown)
      await expect(registry.version(subject, 9)).rejects.toMatchObject(unknown)
      expect(await registry.versions(gone)).toEqual([])
      expect(await registry.find(gone, schema)).toBeUndefined()
      expect(await registry.find(subject, record('There', id, count))).toBeUndefined()
      expect(await registry.compatibility(gone, schema)).toMatchObject({ isCompatible: true })
    })

    it('compares a version with all earlier ones, if told so', async () => {
      const registry = await open()
      const next = record('Told', id, countText)
      const subjectOf = async (level: CompatibilityLevel): Promise<string> => {
        const subject = newSubject()
        await registry.register(subject, record('Told', id, count))
        await registry.setLevel(level, subject)
        expect(await registry.level(subject)).toBe(level)
        await registry.register(subject, record('Told', id))
        return subject
      }
      for (const level of ['BACKWARD', 'NONE'] as const) {
        const subject = await subjectOf(level)
        await registry.register(subject, next)
        expect(await registry.versions(subject)).toEqual([1, 2, 3])
      }
      const strict = await subjectOf('BACKWARD_TRANSITIVE')
      expect((await registry.compatibility(strict, next)).isCompatible).toBe(false)
      const failure = registry.register(strict, next)
      await expect(failure).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', action: 'stop' })
      expect(await registry.versions(strict)).toEqual([1, 2])
    })

    it('takes no schema that is none', async () => {
      const registry = await open()
      const failure = registry.register(newSubject(), text({ type: 'recrod', name: 'X' }))
      await expect(failure).rejects.toMatchObject({ code: 'SCHEMA_INVALID', action: 'stop' })
    })

    it('serves writers and readers that know of each other by it alone', async () => {
      const registry = await open()
      const topic = newSubject()
      const place = { topic, part: 'value', isInternal: false } as const
      const serdeOf = async (schema: string) => {
        const session = new SchemaSession({ registry, clock: systemClock, registers: true })
        const serde = avroSerde<{ id: string; count?: number }>({
          schemas: [JSON.parse(schema) as Record<string, unknown>],
        })
        await serde.schemas.open(session, place)
        return serde
      }
      const writer = await serdeOf(record('Told', id))
      const reader = await serdeOf(record('Told', id, count))
      const bytes = writer.encode({ id: 'a' })
      await reader.schemas.ask(reader.schemas.missing(bytes, [])!)
      expect(reader.decode(bytes)).toEqual({ id: 'a', count: 0 })
      expect(await registry.level(`${topic}-Told`)).toBe('BACKWARD_TRANSITIVE')
      await expect(serdeOf(record('Told', id, countText))).rejects.toThrow(/cannot read version 2/)
    })

    it.skipIf(supports.guidOf === undefined)('knows schemas by their GUIDs', async () => {
      const registry = await open()
      const schema = record('ByGuid', id)
      await registry.register(newSubject(), schema)
      expect(await registry.schema(supports.guidOf!(schema))).toBe(schema)
      const none = '00000000-0000-0000-0000-000000000000'
      await expect(registry.schema(none)).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' })
    })
  })
}
