/**
 * The wire format of audit entries.
 *
 * ```
 *   JSON   {"entryId":…, "topic":…, "event":{…}}     the event's text as its own topic has it
 *   Avro   AuditEntry {entryId, topic, event}        event: the JSON text as a string
 * ```
 * 1. In JSON an event is turned into text once, for its topic and for the audit. 2. An entry in
 * Avro is read without the event's own schema: it outlives the topic, and so what is registered for
 * it. 3. The event is checked and brought to the present version by the serde of its topic.
 */

import { type AvroSerde, avroSerde, type Serde } from '../../../src/index.ts'
import type { AuditEntry } from './audit-entry.ts'
import { schemaFile } from './avro-messages.ts'
import type { ShopEvent } from './events.ts'
import { JsonOrAvro } from './json-or-avro.ts'
import { ShopError } from './shop-error.ts'

/** @param topics  by name, the serde of the events of each topic that is audited */
export const auditSerde = (topics: ReadonlyMap<string, Serde<ShopEvent>>): Serde<AuditEntry> => {
  const fromJson = (parsed: unknown): AuditEntry => {
    const { entryId, topic, event } = (parsed ?? {}) as Partial<AuditEntry>
    if (typeof entryId !== 'string' || entryId === '') {
      throw new ShopError('BAD_MESSAGE', 'the audit entry has no entryId')
    }
    const serde = topics.get(String(topic))
    if (serde === undefined) {
      throw new ShopError('BAD_MESSAGE', `no events of the topic ${String(topic)} are audited`)
    }
    const bytes = Buffer.from(JSON.stringify(event ?? null))
    return { entryId, topic: String(topic), event: serde.decode(bytes) }
  }
  return new JsonOrAvro<AuditEntry>({
    what: 'audit entry',
    toJson: ({ entryId, topic, event }) =>
      `{"entryId":"${entryId}","topic":"${topic}","event":${textOf(topics.get(topic), event)}}`,
    fromJson,
    newAvro: () => avroEntries(fromJson),
  })
}

/** What the event's topic was just given, if that was text. */
const textOf = (serde: Serde<ShopEvent> | undefined, event: ShopEvent): string => {
  const content = serde?.encodeRaw?.(event)
  return typeof content === 'string' ? content : JSON.stringify(event)
}

interface AvroEntry {
  readonly entryId: string
  readonly topic: string
  readonly event: string
}

const avroEntries = (fromJson: (parsed: unknown) => AuditEntry): AvroSerde<AuditEntry> => {
  const serde = avroSerde<AvroEntry>({ schemas: [schemaFile('audit.entry')] })
  const [written, read] = [
    ({ entryId, topic, event }: AuditEntry): AvroEntry => ({
      entryId,
      topic,
      event: JSON.stringify(event),
    }),
    (entry: AvroEntry): AuditEntry => fromJson({ ...entry, event: JSON.parse(entry.event) }),
  ]
  return {
    format: serde.format,
    schemas: serde.schemas,
    encode: (entry) => serde.encode(written(entry)),
    encodeRaw: (entry) => serde.encodeRaw(written(entry)),
    decode: (bytes) => read(serde.decode(bytes)),
    decodeWith: (bytes, headers) => read(serde.decodeWith(bytes, headers)),
    namesSchema: (headers) => serde.namesSchema(headers),
  }
}
