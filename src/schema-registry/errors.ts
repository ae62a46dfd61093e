/** Failures of a schema registry, classified once; callers switch on `action`, not on messages. */

import type { ErrorAction } from '../errors/codes.ts'

export const schemaRegistryErrorCodes = {
  SCHEMA_REGISTRY_UNAVAILABLE: 'retry', // no connection, a time-out, a 5xx: ask again later
  SCHEMA_REGISTRY_REFUSED: 'stop', // credentials or rights are wrong, or it is no registry
  SCHEMA_UNKNOWN: 'skip', // no such subject, version or id: the record is a dead letter
  SCHEMA_NOT_REGISTERED: 'stop', // what is written here must be registered first: schema register
  SCHEMA_INCOMPATIBLE: 'stop', // it could not read what is there: change it, or take a new name
  SCHEMA_INVALID: 'stop', // no Avro schema: mend it
} as const satisfies Record<string, ErrorAction>

export type SchemaRegistryErrorCode = keyof typeof schemaRegistryErrorCodes

export class SchemaRegistryError extends Error {
  override readonly name = 'SchemaRegistryError'
  readonly code: SchemaRegistryErrorCode
  readonly action: ErrorAction

  constructor(code: SchemaRegistryErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.action = schemaRegistryErrorCodes[code]
  }
}
