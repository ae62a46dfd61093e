/**
 * `node scripts/schema-types.ts`: TypeScript types of the shop's messages, made from its schemas.
 *
 * Writes `test/shop/{event,command}-schema-types.ts`, where the compiler compares them with those
 * that the shop is written in; `test/shop/schemas.test.ts` fails while they are not what this
 * would write.
 */

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Field {
  readonly name: string
  readonly type: Schema
}

type Schema =
  | string
  | readonly Schema[]
  | {
      readonly type: Schema
      readonly name?: string
      readonly namespace?: string
      readonly logicalType?: string
      readonly fields?: readonly Field[]
      readonly items?: Schema
      readonly symbols?: readonly string[]
    }

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'topologies', 'shop', 'schemas')

export type MessageKind = 'event' | 'command'

export const typesFile = (kind: MessageKind): string =>
  join(root, 'test', 'shop', `${kind}-schema-types.ts`)

/** The content of the file, for the schemas as they are. */
export const schemaTypes = (kind: MessageKind): string => {
  const types = readdirSync(folder)
    .map((file) => basename(file, '.avsc'))
    .filter((file) => file.includes('.') === (kind === 'event')) // order.created, CreateOrder
    .toSorted()
  return `${head}\n${types.map(messageType).join('')}` // no empty lines: files have 600 at most
}

const metadata = `interface Metadata {
  readonly correlationId: string
  readonly causationId: string
  readonly schemaVersion: number
}
`

const head = `/** Made by scripts/schema-types.ts from topologies/shop/schemas: do not edit. */

${metadata}`

const messageType = (file: string): string => {
  const { name, fields } = JSON.parse(readFileSync(join(folder, `${file}.avsc`), 'utf8')) as {
    readonly name: string
    readonly fields: readonly Field[]
  }
  const version = /\.(v\d+)$/.exec(file)?.[1]?.toUpperCase() ?? ''
  const type = file.replace(/\.v\d+$/, '')
  const named = new Map<string, string>()
  const text = fields
    .map((field) =>
      /^(event|command)Type$/.test(field.name)
        ? `  readonly ${field.name}: '${type}'\n`
        : fieldText(field, named, '  '),
    )
    .join('')
  return `export interface ${name}${version} {\n${text}}\n`
}

const fieldText = ({ name, type }: Field, named: Map<string, string>, indent: string): string => {
  const isOptional = Array.isArray(type)
  const inner = isOptional ? (type as readonly Schema[]).find((each) => each !== 'null')! : type
  const text = typeText(inner as Schema, named, indent)
  return `${indent}readonly ${name}${isOptional ? '?' : ''}: ${text}\n`
}

const primitives: Readonly<Record<string, string>> = {
  string: 'string',
  long: 'number',
  int: 'number',
  boolean: 'boolean',
}

const typeText = (schema: Schema, named: Map<string, string>, indent: string): string => {
  if (typeof schema === 'string') {
    const text = primitives[schema] ?? named.get(schema)
    if (text !== undefined) return text
    throw new Error(`no type for ${schema}`)
  }
  if (!isObject(schema)) throw new Error(`no type for ${JSON.stringify(schema)}`)
  const { type, name = '', logicalType, fields = [], items, symbols = [] } = schema
  if (logicalType === 'timestamp-millis') return 'string'
  if (type === 'array') return `readonly ${typeText(items!, named, indent)}[]`
  if (type === 'enum') return noted(named, name, symbols.map((each) => `'${each}'`).join(' | '))
  if (type !== 'record') return typeText(type, named, indent)
  const inner = fields.map((field) => fieldText(field, named, `${indent}  `)).join('')
  // the same in every message: written once
  const isMetadata = `interface ${name} {\n${inner.replace(/^ {2}/gm, '')}}\n` === metadata
  return isMetadata ? name : noted(named, name, `{\n${inner}${indent}}`)
}

const isObject = (schema: Schema): schema is Exclude<Schema, string | readonly Schema[]> =>
  !Array.isArray(schema)

const noted = (named: Map<string, string>, name: string, text: string): string => {
  named.set(name, text)
  return text
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const kind of ['event', 'command'] as const)
    writeFileSync(typesFile(kind), schemaTypes(kind))
  const formatter = join(root, 'node_modules', 'oxfmt', 'bin', 'oxfmt')
  const files = [typesFile('event'), typesFile('command')]
  spawnSync(process.execPath, [formatter, ...files], { stdio: ['ignore', 'ignore', 'inherit'] })
}
