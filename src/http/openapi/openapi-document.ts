/**
 * The OpenAPI 3.1 document of a server, made from its routes.
 *
 * Pure; called once per server by `openapi-route.ts`. 1. Schemas are those the routes are checked
 * by, taken over as they are: 3.1 speaks JSON Schema 2020-12. 2. A schema with a `title`, and a
 * problem without a kind, is told once, under a name. 3. What any route may answer (malformed, too
 * large, not ready) is added here, so that every status is declared.
 */

import { type TSchema, Type } from 'typebox'
import { problemMediaType, type ProblemKind, problemTitle, problemUri } from '../problem.ts'
import type { ApiRoute } from './api-routes.ts'
import { apiPath, operationId } from './api-path.ts'
import { problemSchema } from './problem-schema.ts'
import { type Json, NamedParts } from './named-parts.ts'
import type { AnswerDoc, RouteDoc } from './route-doc.ts'

export interface ApiInfo {
  readonly title: string
  readonly version: string
  readonly description: string
}

export interface OpenApiDocument {
  readonly openapi: '3.1.1'
  readonly info: ApiInfo
  readonly tags: readonly Json[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>
  readonly components: { readonly schemas: Json; readonly responses: Json }
}

/** @throws two schemas have one title, or a parameter of a path is not told: bugs of the routes */
export const openApiDocument = (info: ApiInfo, routes: readonly ApiRoute[]): OpenApiDocument => {
  const parts = new NamedParts()
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of routes) {
    const { path } = apiPath(route)
    const operations = (paths[path] ??= {})
    operations[route.method.toLowerCase()] = operationOf(route, parts)
  }
  const tags = [...new Set(routes.map(({ doc }) => doc.tag))]
  return {
    openapi: '3.1.1',
    info,
    tags: tags.map((name) => ({ name })),
    paths,
    components: parts.all,
  }
}

const operationOf = (route: ApiRoute, parts: NamedParts): Json => {
  const { method, url, doc } = route
  const { tag, summary, description, isBodyOptional } = doc
  const body = doc.body ?? route.body
  const parameters = parametersOf(route, parts)
  return {
    operationId: operationId(method, url),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            ...(isBodyOptional !== true && { required: true }),
            content: contentOf('application/json', body, parts),
          },
        }),
    responses: { ...answersOf(doc, parts), ...problemsOf(route, parts) },
  }
}

const parametersOf = (route: ApiRoute, parts: NamedParts): readonly Json[] => {
  const { query, doc } = route
  const { required = [], properties = {} } = (query ?? {}) as {
    readonly required?: readonly string[]
    readonly properties?: Readonly<Record<string, TSchema>>
  }
  const told = (place: string, named: Readonly<Record<string, TSchema>>): readonly Json[] =>
    Object.entries(named).map(([name, schema]) => ({
      name,
      in: place,
      ...((place === 'path' || (place === 'query' && required.includes(name))) && {
        required: true,
      }),
      ...described(schema),
      schema: parts.schema(schema),
    }))
  const { params } = apiPath(route)
  return [
    ...told('path', params),
    ...told('query', properties),
    ...told('header', doc.headers ?? {}),
  ]
}

const described = (schema: TSchema): Json => {
  const { description } = schema as { readonly description?: string }
  return description === undefined ? {} : { description }
}

const contentOf = (mediaType: string, body: TSchema, parts: NamedParts): Json => ({
  [mediaType]: { schema: parts.schema(body) },
})

const answersOf = ({ answers }: RouteDoc, parts: NamedParts): Json =>
  Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [status, answerOf(answer, parts)]),
  )

const answerOf = (answer: AnswerDoc, parts: NamedParts): Json => {
  const { description, body, mediaType = 'application/json', headers } = answer
  return {
    description,
    ...(headers === undefined ? {} : { headers: headersOf(headers, parts) }),
    ...(body === undefined ? {} : { content: contentOf(mediaType, body, parts) }),
  }
}

const headersOf = (headers: Readonly<Record<string, TSchema>>, parts: NamedParts): Json =>
  Object.fromEntries(
    Object.entries(headers).map(([name, schema]) => [
      name,
      { ...described(schema), schema: parts.schema(schema) },
    ]),
  )

/** Of each status all kinds of problems, as what its `type` may be. */
const problemsOf = (route: ApiRoute, parts: NamedParts): Json => {
  const byStatus = new Map<number, (ProblemKind | number)[]>()
  for (const problem of [...commonProblems(route), ...(route.doc.problems ?? [])]) {
    const status = typeof problem === 'number' ? problem : problem.status
    const others = byStatus.get(status) ?? []
    if (!others.includes(problem)) byStatus.set(status, [...others, problem])
  }
  const { problemHeaders = {} } = route.doc
  return Object.fromEntries(
    [...byStatus].map(([status, kinds]) => {
      const headers = problemHeaders[status]
      const make = (): Json => problemOf({ status, kinds, headers }, parts)
      const isPlain = kinds.length === 1 && kinds[0] === status && headers === undefined
      return [String(status), isPlain ? parts.response(`Problem${status}`, make) : make()]
    }),
  )
}

interface Problems {
  readonly status: number
  readonly kinds: readonly (ProblemKind | number)[]
  readonly headers: Readonly<Record<string, TSchema>> | undefined
}

const problemOf = ({ status, kinds, headers }: Problems, parts: NamedParts): Json => {
  const types = kinds.map((kind) =>
    typeof kind === 'number' ? 'about:blank' : problemUri(kind.name),
  )
  const titles = kinds.map((kind) => (typeof kind === 'number' ? problemTitle(kind) : kind.title))
  const isNotNow = kinds.some((kind) => typeof kind !== 'number' && kind.isNotNow === true)
  const schema = {
    allOf: [parts.schema(problemSchema)],
    properties: { type: { enum: types }, status: { const: status } },
  }
  const all = { ...headers, ...((status === 503 || isNotNow) && { 'Retry-After': retryAfter }) }
  return {
    description: `${titles.join('; ')}.`,
    ...(Object.keys(all).length > 0 && { headers: headersOf(all, parts) }),
    content: { [problemMediaType]: { schema } },
  }
}

const retryAfter = Type.String({ description: 'In seconds.' })

/** What the server itself refuses, whatever the route. */
const commonProblems = ({ url, query, body, doc }: ApiRoute): readonly number[] => {
  const hasParams = doc.params !== undefined
  const hasBody = body !== undefined || doc.body !== undefined
  const isChecked = hasParams || hasBody || query !== undefined || doc.headers !== undefined
  return [
    ...(isChecked ? [400] : []),
    408,
    ...(hasBody ? [413] : []),
    ...(hasParams && !url.endsWith('*') ? [414] : []),
    415,
    431,
    500,
    ...(doc.isAlwaysThere === true ? [] : [503]),
  ]
}
