/**
 * Resolves options: flags over MILLRACE_* variables over `millrace.json` over defaults.
 *
 * Called by each command of the CLI. 1. A value is checked wherever it comes from, and a complaint
 * names its place. 2. Unknown keys of the file and unknown MILLRACE_* variables are refused with
 * the nearest known one: a typing error must not silently mean the default. 3. The file is
 * `millrace.json` in the current directory, or what MILLRACE_CONFIG names.
 */

import { readFileSync } from 'node:fs'
import { Value } from 'typebox/value'
import { formatDurationMs, parseDurationMs } from './duration.ts'
import { nearest } from './nearest.ts'
import { parseJson } from './parse-json.ts'
import {
  type OptionName,
  type OptionSpec,
  optionSpecs,
  type OptionValues,
  type RuntimeOption,
  runtimeOptionNames,
} from './options.ts'
import { formatSize, parseSizeBytes } from './size.ts'
import { UsageError } from './usage-error.ts'

/** Texts of flags as the command line gave them; booleans for flags without a value. */
export type FlagValues = Readonly<Record<string, string | boolean | undefined>>

export interface SettingSources {
  readonly flags: FlagValues
  readonly env: Readonly<Record<string, string | undefined>>
  /** Parsed `millrace.json`; undefined if there is none. */
  readonly file?: unknown
  /** Defaults of one command where they differ from the table's. */
  readonly defaults?: OptionDefaults
}

export type OptionDefaults = Partial<OptionValues>

export type Settings = Partial<OptionValues> & {
  readonly [Name in OptionsWithDefault]: OptionValues[Name]
} & {
  readonly runtime: Partial<Record<RuntimeOption, number>>
}

type OptionsWithDefault = Exclude<OptionName, OptionsWithoutDefault>

type OptionsWithoutDefault =
  | 'stateEngine'
  | 'topicNames'
  | 'forMs'
  | 'document'
  | 'rejects'
  | 'carriers'
  | 'paymentUrl'
  | 'paymentUsername'
  | 'paymentPassword'
  | 'paymentPasswordFile'
  | 'paymentCa'
  | 'paymentRate'
  | 'masterKey'
  | 'masterKeyFile'
  | 'oldMasterKeyFile'
  | 'bootstrap'
  | 'tlsCa'
  | 'tlsCert'
  | 'tlsKey'
  | 'sasl'
  | 'saslUsername'
  | 'saslPassword'
  | 'saslPasswordFile'
  | 'schemaRegistry'
  | 'schemaRegistryUsername'
  | 'schemaRegistryPassword'
  | 'schemaRegistryCa'

const otherVariables = ['MILLRACE_CONFIG']

/** @throws {UsageError} an unknown key, or a value its option does not take */
export const resolveSettings = (sources: SettingSources): Settings => {
  const { flags, env, file, defaults = {} } = sources
  const fileValues = checkFile(file)
  checkEnvironment(env)
  const values: Record<string, unknown> = {}
  const runtime: Partial<Record<RuntimeOption, number>> = {}
  for (const spec of optionSpecs.values()) {
    const value =
      valueOf(spec, { flags, env, file: fileValues })
      ?? defaults[spec.name as OptionName]
      ?? spec.default
    if (value === undefined) continue
    if (!isRuntimeOption(spec.name)) values[spec.name] = value
    else if (value !== spec.default) runtime[spec.name] = value as number
  }
  return { ...values, runtime } as Settings
}

/** @throws {UsageError} the file is not JSON, or MILLRACE_CONFIG names one that cannot be read */
export const readSettingsFile = (env: SettingSources['env']): unknown => {
  const named = env['MILLRACE_CONFIG']
  const path = named ?? 'millrace.json'
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    if (named === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`)
  }
  return parseJson(content, (reason) => new UsageError(`${path} ${reason}`))
}

const isRuntimeOption = (name: string): name is RuntimeOption =>
  (runtimeOptionNames as readonly string[]).includes(name)

const valueOf = (
  spec: OptionSpec,
  { flags, env, file }: SettingSources & { readonly file: Readonly<Record<string, unknown>> },
): unknown => {
  const flag = flags[spec.name]
  if (flag !== undefined) return checked(spec, parsed(spec, flag), `--${spec.flag}`)
  const variable = env[spec.env]
  if (variable !== undefined) return checked(spec, parsed(spec, variable), spec.env)
  const key = file[spec.name] === undefined ? flagKey(spec) : spec.name
  const entry = file[key]
  if (entry === undefined) return undefined
  const place = `millrace.json: ${key}`
  // a key without the unit in its name needs it in its value
  if (key !== spec.name && typeof entry === 'number' && hasUnit(spec)) {
    throw notPossible(spec, entry, place)
  }
  return checked(spec, fromFile(spec, entry), place)
}

/** What the file may call an option too: its flag in camelCase, `for` beside `forMs`. */
const flagKey = ({ flag }: OptionSpec): string =>
  flag.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

const parsed = (spec: OptionSpec, given: string | boolean): unknown => {
  if (typeof given === 'boolean') return given
  if (hasUnit(spec)) return withUnit(spec, given)
  if (spec.kind === 'boolean') return given === 'true' ? true : given === 'false' ? false : given
  if (spec.kind === 'number') return /^[+-]?(\d|\.\d)/.test(given) ? Number(given) : given
  return given
}

const fromFile = (spec: OptionSpec, entry: unknown): unknown =>
  hasUnit(spec) && typeof entry === 'string' ? withUnit(spec, entry) : entry

const hasUnit = ({ kind }: OptionSpec): boolean => kind === 'duration' || kind === 'size'

/** What is not one stays a text, and is refused as such. */
const withUnit = ({ kind }: OptionSpec, text: string): number | string =>
  (kind === 'size' ? parseSizeBytes(text) : parseDurationMs(text)) ?? text

const checked = (spec: OptionSpec, value: unknown, place: string): unknown => {
  if (Value.Check(spec.schema, value)) return value
  throw notPossible(spec, value, place)
}

const notPossible = (spec: OptionSpec, value: unknown, place: string): UsageError =>
  new UsageError(
    `${place}: ${JSON.stringify(value)} is not ${expectation(spec)}${suggestion(spec, value)}`,
  )

/** Of the values there are, the one that was probably meant. */
const suggestion = (spec: OptionSpec, value: unknown): string => {
  const { anyOf } = spec.schema as { readonly anyOf?: readonly { readonly const: string }[] }
  if (anyOf === undefined || typeof value !== 'string') return ''
  return `; the nearest is '${nearest(
    value,
    anyOf.map((literal) => literal.const),
  )}'`
}

const expectation = (spec: OptionSpec): string => {
  const { minimum, maximum, maxLength, anyOf, type, expected } = spec.schema as {
    /** Of a text with a pattern: what the pattern says, for people. */
    readonly expected?: string
    readonly minimum?: number
    readonly maximum?: number
    readonly maxLength?: number
    readonly anyOf?: readonly { readonly const: string }[]
    readonly type?: string
  }
  if (anyOf !== undefined) return `one of ${anyOf.map((literal) => literal.const).join(', ')}`
  if (expected !== undefined) return expected
  if (spec.kind === 'boolean') return 'true or false'
  if (spec.kind === 'text') {
    return maxLength === undefined
      ? 'a text of at least one character'
      : `a text of 1 to ${maxLength} characters`
  }
  if (spec.kind === 'number') {
    return `${type === 'integer' ? 'a whole number' : 'a number'} from ${minimum} to ${maximum}`
  }
  if (spec.kind === 'size') {
    return (
      `a size such as 64MiB, 256MiB or 1GiB, from ${formatSize(minimum ?? 0)} to `
      + formatSize(maximum ?? 0)
    )
  }
  return (
    `a duration such as 500ms, 20s, 5m or 1h, from ${formatDurationMs(minimum ?? 0)} to `
    + formatDurationMs(maximum ?? 0)
  )
}

const checkFile = (file: unknown): Readonly<Record<string, unknown>> => {
  if (file === undefined) return {}
  if (typeof file !== 'object' || file === null || Array.isArray(file)) {
    throw new UsageError('millrace.json: an object of options is expected')
  }
  const specs = [...optionSpecs.values()]
  const known = new Set(specs.flatMap((spec) => [spec.name, flagKey(spec)]))
  for (const key of Object.keys(file)) {
    if (key === '$schema' || known.has(key)) continue
    const best = nearest(key, known)
    throw new UsageError(`millrace.json: unknown key '${key}'; the nearest known one is '${best}'`)
  }
  for (const spec of specs) {
    const [name, alias] = [spec.name, flagKey(spec)]
    if (alias === name || !Object.hasOwn(file, name) || !Object.hasOwn(file, alias)) continue
    throw new UsageError(
      `millrace.json: '${alias}' and '${name}' are the same option: give one of them`,
    )
  }
  return file as Readonly<Record<string, unknown>>
}

const checkEnvironment = (env: SettingSources['env']): void => {
  const known = [...otherVariables, ...[...optionSpecs.values()].map((spec) => spec.env)]
  for (const name of Object.keys(env)) {
    if (!name.startsWith('MILLRACE_') || known.includes(name)) continue
    throw new UsageError(
      `unknown variable ${name}; the nearest known one is ${nearest(name, known)}`,
    )
  }
}
