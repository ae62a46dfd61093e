/**
 * What an OpenAPI document tells once and refers to by name: its `components`.
 *
 * Filled while `openapi-document.ts` makes the paths.
 */

import type { TSchema } from 'typebox'

export type Json = Readonly<Record<string, unknown>>

export class NamedParts {
  readonly #schemas = new Map<string, string>()
  readonly #responses = new Map<string, Json>()

  /**
   * The schema, or where it is if it has a title.
   *
   * @throws another schema has this title: a bug of the routes
   */
  schema(schema: TSchema): Json {
    const text = JSON.stringify(schema)
    const { title } = schema as { readonly title?: string }
    if (title === undefined) return JSON.parse(text) as Json
    const before = this.#schemas.get(title)
    if (before !== undefined && before !== text) throw new Error(`two schemas are named ${title}`)
    this.#schemas.set(title, text)
    return { $ref: `#/components/schemas/${title}` }
  }

  response(name: string, make: () => Json): Json {
    if (!this.#responses.has(name)) this.#responses.set(name, make())
    return { $ref: `#/components/responses/${name}` }
  }

  get all(): { readonly schemas: Json; readonly responses: Json } {
    const schemas = [...this.#schemas].map(([title, text]) => [title, JSON.parse(text) as unknown])
    return {
      schemas: Object.fromEntries(schemas),
      responses: Object.fromEntries(this.#responses),
    }
  }
}
