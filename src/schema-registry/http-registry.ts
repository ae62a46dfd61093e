/**
 * Client of a registry that speaks Confluent's API: Confluent's own, Apicurio, Redpanda, Karapace,
 * and the one an instance with an embedded broker serves.
 *
 * Opened by the composition root. 1. What may pass (no connection, time-out, 5xx, 429) is asked
 * again a few times, of each address in turn, then told as SCHEMA_REGISTRY_UNAVAILABLE. 2. Nothing
 * is kept here: `schema-session.ts` caches. 3. Every request may be repeated: registering the same
 * schema twice registers it once. 4. Credentials are never part of a message.
 */

import type { Clock } from '../clock.ts'
import { SchemaRegistryError } from './errors.ts'
import { type RegistryAnswer, RegistryConnections, type RegistryRequest } from './http-request.ts'
import {
  type CompatibilityAnswer,
  type CompatibilityLevel,
  compatibilityLevels,
  type SchemaRef,
  type SchemaRegistry,
  type SubjectVersion,
} from './port.ts'

export interface HttpRegistryOptions {
  /** `http://host:port/path`; several, with commas, are tried in turn. */
  readonly url: string
  readonly auth?: RegistryAuth
  /** PEM of the authorities to trust instead of those of the system. */
  readonly ca?: Buffer
  /** Of each attempt, in ms; default 5,000. */
  readonly timeoutMs?: number
  /** Default 4. */
  readonly attemptsMax?: number
  /** Before the second attempt, in ms; doubles with each; default 100. */
  readonly backoffMs?: number
  readonly clock: Clock
}

export type RegistryAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }

const contentType = 'application/vnd.schemaregistry.v1+json'
/** Confluent's codes of what is not there: subject, version, schema, and levels of a subject. */
const unknownCodes: readonly unknown[] = [40401, 40402, 40403, 40408]

type Body = Readonly<Record<string, unknown>>

export class HttpRegistry implements SchemaRegistry {
  readonly #options: HttpRegistryOptions
  readonly #bases: readonly string[]
  readonly #connections: RegistryConnections
  #address = 0

  /** @throws {TypeError} an address is no URL of HTTP */
  constructor(options: HttpRegistryOptions) {
    this.#options = options
    this.#bases = options.url.split(',').map(baseOf)
    this.#connections = new RegistryConnections(options.timeoutMs ?? 5_000, options.ca)
  }

  async subjects(): Promise<readonly string[]> {
    return (await this.#get('/subjects')) as string[]
  }

  async versions(subject: string): Promise<readonly number[]> {
    return ((await this.#find(`/subjects/${part(subject)}/versions`)) ?? []) as number[]
  }

  async version(subject: string, version: number | 'latest'): Promise<SubjectVersion> {
    const body = await this.#get(`/subjects/${part(subject)}/versions/${version}`)
    return versionOf(body as Body)
  }

  async schema(ref: SchemaRef): Promise<string> {
    const path = typeof ref === 'number' ? `/schemas/ids/${ref}` : `/schemas/guids/${part(ref)}`
    const { schema, schemaType } = (await this.#get(path)) as Body
    if (schemaType === undefined || schemaType === 'AVRO') return String(schema)
    throw new SchemaRegistryError('SCHEMA_UNKNOWN', `schema ${ref} is ${schemaType}, not Avro`)
  }

  async register(subject: string, schema: string): Promise<number> {
    const path = `/subjects/${part(subject)}/versions`
    const { id } = (await this.#call('POST', path, { schema })) as Body
    if (typeof id === 'number') return id
    throw new SchemaRegistryError('SCHEMA_REGISTRY_REFUSED', `no id came back for ${subject}`)
  }

  async find(subject: string, schema: string): Promise<SubjectVersion | undefined> {
    const body = await this.#find(`/subjects/${part(subject)}`, { schema })
    return body === undefined ? undefined : versionOf(body as Body)
  }

  async compatibility(subject: string, schema: string): Promise<CompatibilityAnswer> {
    const path = `/compatibility/subjects/${part(subject)}/versions?verbose=true`
    const body = (await this.#find(path, { schema })) as Body | undefined
    if (body === undefined) return { isCompatible: true, messages: [] }
    const messages = Array.isArray(body['messages']) ? body['messages'].map(String) : []
    return { isCompatible: body['is_compatible'] === true, messages }
  }

  async level(subject?: string): Promise<CompatibilityLevel> {
    const own = subject === undefined ? undefined : await this.#find(`/config/${part(subject)}`)
    return levelOf((own ?? (await this.#get('/config'))) as Body)
  }

  async setLevel(level: CompatibilityLevel, subject?: string): Promise<void> {
    const path = subject === undefined ? '/config' : `/config/${part(subject)}`
    await this.#call('PUT', path, { compatibility: level })
  }

  async close(): Promise<void> {
    this.#connections.close()
  }

  #get(path: string): Promise<unknown> {
    return this.#call('GET', path)
  }

  /** As `#call`, with undefined for what is not there; a body makes it a POST. */
  async #find(path: string, body?: object): Promise<unknown> {
    try {
      return await this.#call(body === undefined ? 'GET' : 'POST', path, body)
    } catch (error) {
      if (error instanceof SchemaRegistryError && error.code === 'SCHEMA_UNKNOWN') return undefined
      throw error
    }
  }

  async #call(method: RegistryRequest['method'], path: string, body?: object): Promise<unknown> {
    const { clock, attemptsMax = 4, backoffMs = 100 } = this.#options
    for (let attempt = 1; ; attempt++) {
      const base = this.#bases[this.#address % this.#bases.length]!
      try {
        return bodyOf(base, await this.#send(method, new URL(base + path), body))
      } catch (error) {
        const isPassing = (error as SchemaRegistryError).action === 'retry'
        if (isPassing) this.#address += 1
        if (!isPassing || attempt >= attemptsMax) throw error
      }
      await new Promise<void>((resolve) => {
        clock.setTimer(backoffMs * 2 ** (attempt - 1), resolve)
      })
    }
  }

  async #send(method: RegistryRequest['method'], url: URL, body?: object): Promise<RegistryAnswer> {
    const headers = {
      accept: `${contentType}, application/json`,
      ...(body !== undefined && { 'content-type': contentType }),
      ...authorization(this.#options.auth),
    }
    const text = body === undefined ? undefined : JSON.stringify(body)
    try {
      return await this.#connections.ask({ method, url, headers, body: text })
    } catch (error) {
      const reason = (error as Error).message || (error as NodeJS.ErrnoException).code
      throw unavailable(`${url.origin} does not answer: ${reason}`, error)
    }
  }
}

const baseOf = (text: string): string => {
  const url = new URL(text.trim())
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError(`${text} is no URL of a schema registry: http or https is expected`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('a schema registry takes its credentials as options, not in its URL')
  }
  return url.origin + url.pathname.replace(/\/+$/, '')
}

const part = encodeURIComponent

const authorization = (auth: RegistryAuth | undefined): Readonly<Record<string, string>> => {
  if (auth === undefined) return {}
  if (auth.kind === 'bearer') return { authorization: `Bearer ${auth.token}` }
  const pair = Buffer.from(`${auth.username}:${auth.password}`).toString('base64')
  return { authorization: `Basic ${pair}` }
}

const unavailable = (message: string, cause?: unknown): SchemaRegistryError =>
  new SchemaRegistryError('SCHEMA_REGISTRY_UNAVAILABLE', message, cause)

/** @throws {SchemaRegistryError} whatever is no success */
const bodyOf = (base: string, { status, body }: RegistryAnswer): unknown => {
  if (status >= 500 || status === 408 || status === 429) {
    throw unavailable(`${base} answered ${status}`)
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch (error) {
    const message = `${base} answered ${status} without JSON: is it a schema registry?`
    throw new SchemaRegistryError('SCHEMA_REGISTRY_REFUSED', message, error)
  }
  if (status < 300) return parsed
  throw refusal(base, status, (parsed ?? {}) as Body)
}

const refusal = (base: string, status: number, body: Body): SchemaRegistryError => {
  const { error_code: code, message = '' } = body
  const said = `${base} answered ${status}: ${String(message)}`
  if (status === 401 || status === 403) {
    return new SchemaRegistryError('SCHEMA_REGISTRY_REFUSED', `${said} (credentials or rights)`)
  }
  if (unknownCodes.includes(code)) return new SchemaRegistryError('SCHEMA_UNKNOWN', said)
  if (status === 409) return new SchemaRegistryError('SCHEMA_INCOMPATIBLE', said)
  if (status === 422) return new SchemaRegistryError('SCHEMA_INVALID', said)
  return new SchemaRegistryError('SCHEMA_REGISTRY_REFUSED', said)
}

const versionOf = ({ subject, version, id, schema }: Body): SubjectVersion => ({
  subject: String(subject),
  version: Number(version),
  id: Number(id),
  schema: String(schema),
})

/** The field's name differs between registries, and between the versions of some. */
const levelOf = ({ compatibilityLevel, compatibility }: Body): CompatibilityLevel => {
  const level = compatibilityLevel ?? compatibility
  const known = compatibilityLevels.find((name) => name === level)
  if (known !== undefined) return known
  throw new SchemaRegistryError('SCHEMA_REGISTRY_REFUSED', `unknown level ${String(level)}`)
}
