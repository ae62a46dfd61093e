/**
 * A schema registry over HTTP, as Confluent's API has it: a subset that its clients work with.
 *
 * Registered by the composition root under a prefix, over the built-in registry. 1. Failures are
 * `{ error_code, message }` with Confluent's numbers, not problem documents. 2. Avro only; nothing
 * is ever deleted.
 */

import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify'
import { SchemaRegistryError, type SchemaRegistryErrorCode } from '../schema-registry/errors.ts'
import { compatibilityLevels, type SchemaRegistry } from '../schema-registry/port.ts'

const contentType = 'application/vnd.schemaregistry.v1+json'

/** Refused with a number of Confluent's. */
class ApiError extends Error {
  readonly errorCode: number

  constructor(errorCode: number, message: string) {
    super(message)
    this.errorCode = errorCode
  }
}

const numbers: Readonly<Record<SchemaRegistryErrorCode, number>> = {
  SCHEMA_REGISTRY_UNAVAILABLE: 50_003,
  SCHEMA_REGISTRY_REFUSED: 50_001,
  SCHEMA_UNKNOWN: 40_403,
  SCHEMA_NOT_REGISTERED: 40_403,
  SCHEMA_INCOMPATIBLE: 409,
  SCHEMA_INVALID: 42_201,
}

export const schemaRoutes = (scope: FastifyInstance, registry: SchemaRegistry): void => {
  const types = [contentType, 'application/vnd.schemaregistry+json', 'application/octet-stream']
  scope.addContentTypeParser(types, { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(String(body)))
    } catch (error) {
      done(new ApiError(42_201, (error as Error).message))
    }
  })
  scope.addHook('onSend', async (_request, reply) => void reply.type(contentType))
  scope.setErrorHandler((error: FastifyError | ApiError, _request, reply) => {
    const [number, message] = numberOf(error)
    const status = number < 1_000 ? number : Math.floor(number / 100)
    return reply.code(status).send({ error_code: number, message })
  })
  subjectRoutes(scope, registry)
  schemaIdRoutes(scope, registry)
  compatibilityRoutes(scope, registry)
  levelRoutes(scope, registry)
}

const subjectRoutes = (scope: FastifyInstance, registry: SchemaRegistry): void => {
  scope.get('/subjects', () => registry.subjects())
  scope.get('/subjects/:subject/versions', async (request) => {
    const versions = await registry.versions(subjectOf(request))
    if (versions.length === 0) throw noSubject(request)
    return versions
  })
  scope.get('/subjects/:subject/versions/:version', async (request) => {
    const [subject, version] = [subjectOf(request), versionOf(request)]
    const versions = await registry.versions(subject)
    if (versions.length === 0) throw noSubject(request)
    if (version === 'latest' || versions.includes(version)) {
      return registry.version(subject, version)
    }
    throw new ApiError(40_402, `Version ${version} not found.`)
  })
  scope.post('/subjects/:subject/versions', async (request) => ({
    id: await registry.register(subjectOf(request), schemaOf(request)),
  }))
  scope.post('/subjects/:subject', async (request) => {
    const subject = subjectOf(request)
    const found = await registry.find(subject, schemaOf(request))
    if (found !== undefined) return found
    if ((await registry.versions(subject)).length === 0) throw noSubject(request)
    throw new ApiError(40_403, 'Schema not found')
  })
}

const schemaIdRoutes = (scope: FastifyInstance, registry: SchemaRegistry): void => {
  scope.get('/schemas/types', async () => ['AVRO'])
  scope.get('/schemas/ids/:id', async (request) => {
    const id = Number(paramOf(request, 'id'))
    if (!Number.isInteger(id)) throw new ApiError(40_403, 'Schema not found')
    return { schema: await registry.schema(id) }
  })
  scope.get('/schemas/guids/:guid', async (request) => ({
    schema: await registry.schema(paramOf(request, 'guid')),
  }))
}

const compatibilityRoutes = (scope: FastifyInstance, registry: SchemaRegistry): void => {
  scope.post('/compatibility/subjects/:subject/versions', async (request) => {
    const answer = await registry.compatibility(subjectOf(request), schemaOf(request))
    return { is_compatible: answer.isCompatible, messages: answer.messages }
  })
}

const levelRoutes = (scope: FastifyInstance, registry: SchemaRegistry): void => {
  const level = async (request: FastifyRequest) => {
    const subject = paramOf(request, 'subject')
    return { compatibilityLevel: await registry.level(subject === '' ? undefined : subject) }
  }
  const setLevel = async (request: FastifyRequest) => {
    const subject = paramOf(request, 'subject')
    const { compatibility } = (request.body ?? {}) as Readonly<Record<string, unknown>>
    const known = compatibilityLevels.find((name) => name === compatibility)
    if (known === undefined) throw new ApiError(42_203, 'Invalid compatibility level')
    await registry.setLevel(known, subject === '' ? undefined : subject)
    return { compatibility: known }
  }
  scope.get('/config', level)
  scope.put('/config', setLevel)
  scope.get('/config/:subject', level)
  scope.put('/config/:subject', setLevel)
}

const numberOf = (error: FastifyError | ApiError): readonly [number, string] => {
  if (error instanceof ApiError) return [error.errorCode, error.message]
  if (error instanceof SchemaRegistryError) return [numbers[error.code], error.message]
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500
  if (status < 500) return [status === 400 ? 42_201 : status, error.message]
  return [50_001, 'Error in the backend data store']
}

const paramOf = ({ params }: FastifyRequest, name: string): string =>
  (params as Readonly<Record<string, string | undefined>>)[name] ?? ''

const subjectOf = (request: FastifyRequest): string => paramOf(request, 'subject')

const noSubject = (request: FastifyRequest): ApiError =>
  new ApiError(40_401, `Subject '${subjectOf(request)}' not found.`)

const versionOf = (request: FastifyRequest): number | 'latest' => {
  const text = paramOf(request, 'version')
  if (text === 'latest' || text === '-1') return 'latest'
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new ApiError(42_202, 'The specified version is not a valid version id.')
}

const schemaOf = ({ body }: FastifyRequest): string => {
  const {
    schema,
    schemaType = 'AVRO',
    references = [],
  } = (body ?? {}) as Readonly<Record<string, unknown>>
  if (typeof schema !== 'string') throw new ApiError(42_201, 'schema: a text is expected')
  if (schemaType !== 'AVRO') throw new ApiError(42_201, `${String(schemaType)} is not kept here`)
  if (!Array.isArray(references) || references.length > 0) {
    throw new ApiError(42_201, 'references to other schemas are not kept here')
  }
  return schema
}
