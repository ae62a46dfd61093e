/**
 * A schema registry on the embedded broker: its schemas are records of the compacted topic
 * `_schemas`, as durable as all others.
 *
 * Opened by the process that holds the broker, which is the only writer. 1. A schema is known when
 * its record is acknowledged. 2. After a write of unknown outcome the topic is read again before
 * anything is answered. 3. BACKWARD_TRANSITIVE unless set otherwise.
 */

import type { Broker, Producer, RawBatch } from '../broker/port.ts'
import type { Clock } from '../clock.ts'
import { noHeaders } from '../record.ts'
import { avroTypeOf, evolutionProblems } from './compatibility.ts'
import { SchemaRegistryError } from './errors.ts'
import type {
  CompatibilityAnswer,
  CompatibilityLevel,
  SchemaRef,
  SchemaRegistry,
  SubjectVersion,
} from './port.ts'
import {
  canonicalText,
  levelRecord,
  type SchemaRecord,
  SchemaTables,
  versionRecord,
} from './schema-tables.ts'

export const schemasTopic = '_schemas'

const at = { topic: schemasTopic, partition: 0 } as const
const readBytes = 4_194_304

export class BuiltInRegistry implements SchemaRegistry {
  readonly #broker: Broker
  readonly #clock: Clock
  readonly #producer: Producer
  #tables = new SchemaTables()
  #isStale = true
  /** One call after the other: a version is the next one of what was read. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(broker: Broker, clock: Clock) {
    this.#broker = broker
    this.#clock = clock
    this.#producer = broker.producer('schema-registry')
  }

  /** Makes the topic if there is none, and reads it. */
  static async open(broker: Broker, clock: Clock): Promise<BuiltInRegistry> {
    const config = { cleanupPolicy: 'compact' } as const
    await broker.topics.create([{ name: schemasTopic, partitions: 1, config }])
    const registry = new BuiltInRegistry(broker, clock)
    await registry.#inTurn(async () => {})
    return registry
  }

  /** Whether schemas were ever registered there. */
  static async isUsed(broker: Broker): Promise<boolean> {
    return (await broker.topics.describe([schemasTopic])).has(schemasTopic)
  }

  subjects(): Promise<readonly string[]> {
    return this.#inTurn(async () => this.#tables.subjects)
  }

  versions(subject: string): Promise<readonly number[]> {
    return this.#inTurn(async () => this.#tables.versions(subject).map(({ version }) => version))
  }

  version(subject: string, version: number | 'latest'): Promise<SubjectVersion> {
    return this.#inTurn(async () => {
      const versions = this.#tables.versions(subject)
      const found =
        version === 'latest'
          ? versions.at(-1)
          : versions.find((candidate) => candidate.version === version)
      if (found !== undefined) return found
      throw unknown(`subject ${subject} has no version ${version}`)
    })
  }

  schema(ref: SchemaRef): Promise<string> {
    return this.#inTurn(async () => {
      const schema = this.#tables.schema(ref)
      if (schema !== undefined) return schema
      throw unknown(`schema ${ref} was never registered`)
    })
  }

  register(subject: string, schema: string): Promise<number> {
    return this.#inTurn(async () => {
      const text = checkedText(schema)
      const versions = this.#tables.versions(subject)
      const found = versions.find((version) => version.schema === text)
      if (found !== undefined) return found.id
      const problems = evolutionProblems(text, versions, this.#tables.level(subject))
      if (problems.length > 0) {
        const message = `${subject}: ${problems.join('; ')}`
        throw new SchemaRegistryError('SCHEMA_INCOMPATIBLE', message)
      }
      const [version, id] = [(versions.at(-1)?.version ?? 0) + 1, this.#tables.idOf(text)]
      await this.#write(versionRecord({ subject, version, id, schema: text }))
      return id
    })
  }

  find(subject: string, schema: string): Promise<SubjectVersion | undefined> {
    return this.#inTurn(async () => {
      const text = checkedText(schema)
      return this.#tables.versions(subject).find((version) => version.schema === text)
    })
  }

  compatibility(subject: string, schema: string): Promise<CompatibilityAnswer> {
    return this.#inTurn(async () => {
      const [versions, level] = [this.#tables.versions(subject), this.#tables.level(subject)]
      const messages = evolutionProblems(checkedText(schema), versions, level)
      return { isCompatible: messages.length === 0, messages }
    })
  }

  level(subject?: string): Promise<CompatibilityLevel> {
    return this.#inTurn(async () => this.#tables.level(subject))
  }

  setLevel(level: CompatibilityLevel, subject?: string): Promise<void> {
    return this.#inTurn(() => this.#write(levelRecord(level, subject)))
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {})
    await this.#producer.close()
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#last
      .catch(() => {})
      .then(async () => {
        if (this.#isStale) await this.#read()
        return call()
      })
    this.#last = turn
    return turn
  }

  async #write(record: SchemaRecord): Promise<void> {
    this.#isStale = true // until it is acknowledged
    const { key, value } = record
    const raw = { key: Buffer.from(key), value: Buffer.from(value), headers: noHeaders }
    await this.#producer.send([{ ...at, records: [{ ...raw, timestampMs: this.#clock.nowMs() }] }])
    this.#tables.apply(record)
    this.#isStale = false
  }

  async #read(): Promise<void> {
    const tables = new SchemaTables()
    const { logStartOffset, highWatermark } = await this.#broker.topics.offsets(at)
    const fetcher = this.#broker.fetcher('schema-registry')
    try {
      let offset = logStartOffset
      while (offset < highWatermark) {
        const requests = [{ ...at, offset, maxBytes: readBytes }]
        const options = { isolation: 'read_committed', maxWaitMs: 0 } as const
        const batch: RawBatch = (await fetcher.fetch(requests, options))[0]!
        for (const { key, value } of batch.records) {
          if (key === null || value === null) continue
          tables.apply({ key: Buffer.from(key).toString(), value: Buffer.from(value).toString() })
        }
        offset = batch.nextOffset
      }
    } finally {
      await fetcher.close()
    }
    this.#tables = tables
    this.#isStale = false
  }
}

const unknown = (message: string): SchemaRegistryError =>
  new SchemaRegistryError('SCHEMA_UNKNOWN', message)

/** @throws {SchemaRegistryError} SCHEMA_INVALID */
const checkedText = (schema: string): string => {
  avroTypeOf(schema)
  return canonicalText(schema)
}
