/**
 * Which schemas must be looked up before the records of a fetched batch can be decoded.
 *
 * Called between fetch and enqueue, and by readers of whole topics: decoding is synchronous and
 * cannot ask. Costs nothing for serdes without a registry, a look at each record for the others.
 */

import type { RawBatch, RawRecord } from '../broker/port.ts'
import type { SchemaRef } from '../schema-registry/port.ts'
import type { SerdeSchemas, Serdes } from '../serde/serde.ts'

export interface MissingSchema {
  readonly schemas: SerdeSchemas
  readonly ref: SchemaRef
}

const takenAtOnce = 256
const none: readonly MissingSchema[] = []

export const missingSchemas = (
  { key, value }: Serdes<unknown, unknown>,
  batch: RawBatch,
): readonly MissingSchema[] => {
  const [ofKey, ofValue] = [active(key.schemas), active(value.schemas)]
  if (ofKey === undefined && ofValue === undefined) return none
  const missing = new Map<string, MissingSchema>()
  const note = (schemas: SerdeSchemas | undefined, bytes: Uint8Array | null, raw: RawRecord) => {
    if (schemas === undefined || bytes === null) return
    const ref = schemas.missing(bytes, raw.headers)
    if (ref !== undefined) missing.set(`${schemas === ofKey}:${ref}`, { schemas, ref })
  }
  for (const raw of recordsOf(batch)) {
    note(ofKey, raw.key, raw)
    note(ofValue, raw.value, raw)
  }
  return [...missing.values()]
}

/** @throws {SchemaRegistryError} not now: again later */
export const askAll = async (missing: readonly MissingSchema[]): Promise<void> => {
  await Promise.all(missing.map(({ schemas, ref }) => schemas.ask(ref)))
}

const active = (schemas: SerdeSchemas | undefined): SerdeSchemas | undefined =>
  schemas === undefined || schemas.isIdle ? undefined : schemas

/** One after the other where that can be had: `records` would keep all of them. */
function* recordsOf(batch: RawBatch): Generator<RawRecord> {
  const cursor = batch.recordCount === undefined ? undefined : batch.cursor?.()
  if (cursor === undefined) return yield* batch.records
  for (;;) {
    const records = cursor.next(takenAtOnce)
    if (records.length === 0) return
    yield* records
  }
}
