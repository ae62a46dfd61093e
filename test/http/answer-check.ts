/**
 * Whether an answer is one that the OpenAPI document declares: path, method, status, body, headers.
 *
 * Used by every HTTP test through `ShopClient`, so that the document cannot say what the routes do
 * not do. A path or method that is not there must be refused as such (404, 405).
 */

import { Compile } from 'typebox/schema'
import type { OpenApiDocument } from '../../src/http/openapi/openapi-document.ts'

export interface AnswerParts {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly text: string
}

interface Declared {
  readonly $ref?: string
  readonly headers?: Readonly<Record<string, { readonly schema: object }>>
  readonly content?: Readonly<Record<string, { readonly schema: object }>>
}

interface Operation {
  readonly responses: Readonly<Record<string, Declared>>
}

interface Validator {
  Check(value: unknown): boolean
  Errors(value: unknown): [boolean, readonly { instancePath: string; message: string }[]]
}

/** Headers that are part of the API; the others are those of HTTP itself. */
const ours = /^(etag|location|retry-after|idempotency-replayed|millrace-.*)$/

export class AnswerCheck {
  readonly #document: OpenApiDocument
  readonly #paths: readonly (readonly [RegExp, Readonly<Record<string, unknown>>])[]
  readonly #validators = new Map<object, Validator>()

  constructor(document: OpenApiDocument) {
    this.#document = document
    this.#paths = Object.entries(document.paths).map(([path, operations]) => [
      new RegExp(`^${RegExp.escape(path).replace(/\\{\w+\\}/g, '[^/]+')}/?$`),
      operations,
    ])
  }

  /** @throws what of the answer is not declared */
  check(method: string, url: string, answer: AnswerParts): void {
    const fail = (what: string): never => {
      throw new Error(`${method} ${url}: ${answer.status} ${what}\n${answer.text.slice(0, 500)}`)
    }
    const path = url.split('?')[0]!
    const operations = this.#paths.find(([pattern]) => pattern.test(path))?.[1]
    const operation = operations?.[method === 'HEAD' ? 'get' : method.toLowerCase()]
    if (operation === undefined) {
      const expected = operations === undefined ? [400, 404, 405, 414] : [405, 415]
      if (!expected.includes(answer.status)) fail('of what is not declared')
      return
    }
    const declared = this.#resolved((operation as Operation).responses[String(answer.status)])
    if (declared === undefined) return fail('is not declared')
    for (const name of answer.headers.keys()) {
      const names = Object.keys(declared.headers ?? {}).map((each) => each.toLowerCase())
      if (ours.test(name) && !names.includes(name)) fail(`has an undeclared header ${name}`)
    }
    if (method !== 'HEAD') this.#checkBody(declared, answer, fail)
  }

  #checkBody({ content }: Declared, answer: AnswerParts, fail: (what: string) => never): void {
    if (content === undefined) {
      if (answer.text !== '') fail('has a body')
      return
    }
    const mediaType = (answer.headers.get('content-type') ?? '').split(';')[0]!
    const schema = content[mediaType]?.schema
    if (schema === undefined) return fail(`is ${mediaType}`)
    const value: unknown = mediaType.endsWith('json') ? JSON.parse(answer.text) : answer.text
    const validator = this.#validatorOf(schema)
    if (validator.Check(value)) return
    const [, errors] = validator.Errors(value)
    fail(errors.map(({ instancePath, message }) => `${instancePath} ${message}`).join('; '))
  }

  #resolved(declared: Declared | undefined): Declared | undefined {
    const name = declared?.$ref?.replace('#/components/responses/', '')
    if (name === undefined) return declared
    return this.#document.components.responses[name] as Declared | undefined
  }

  #validatorOf(schema: object): Validator {
    let validator = this.#validators.get(schema)
    if (validator === undefined) {
      const { components } = this.#document
      validator = Compile({ ...schema, components }) as unknown as Validator
      this.#validators.set(schema, validator)
    }
    return validator
  }
}
