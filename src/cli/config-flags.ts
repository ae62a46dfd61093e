/**
 * Flags of a command, made from the option table, and their values resolved.
 *
 * Every command names the options it takes; help texts, defaults and checks come from
 * `src/config/options.ts`. Commander only splits the arguments: it knows no types here.
 */

import { type Command, Option } from 'commander'
import { formatDurationMs } from '../config/duration.ts'
import {
  type OptionName,
  type OptionSpec,
  optionSpecs,
  runtimeOptionNames,
} from '../config/options.ts'
import {
  type OptionDefaults,
  readSettingsFile,
  resolveSettings,
  type Settings,
} from '../config/settings.ts'

/** Options of every command that opens an instance. */
export const instanceOptions = [
  'stateDir',
  'port',
  'stateMemoryMb',
  'fsync',
  'drainMs',
  'declineRate',
  'shortRate',
  'timeoutRate',
  'transferDeadlineMs',
  'seed',
  'logLevel',
] as const satisfies readonly OptionName[]

/** Options of every command that may use a Kafka. */
export const kafkaOptions = [
  'bootstrap',
  'connectTimeoutMs',
  'tls',
  'tlsCa',
  'tlsCert',
  'tlsKey',
  'sasl',
  'saslUsername',
  'saslPassword',
  'saslPasswordFile',
] as const satisfies readonly OptionName[]

export interface ConfigFlags {
  readonly options: readonly OptionName[]
  /** Defaults of this command where they differ from the table's. */
  readonly defaults?: OptionDefaults
  /** Whether the runtime's options are flags too. */
  readonly withRuntime?: boolean
}

/** Adds the flags; they appear in help in the given order. */
export const addConfigFlags = (command: Command, flags: ConfigFlags): Command => {
  for (const name of flags.options) {
    const spec = optionSpecs.get(name)!
    addFlag(command, { ...spec, default: flags.defaults?.[name] ?? spec.default })
  }
  for (const name of flags.withRuntime ? runtimeOptionNames : []) {
    addFlag(command, optionSpecs.get(name)!)
  }
  return command
}

/** @throws {UsageError} a value of any source is not possible, or a key is unknown */
export const settingsOf = (command: Command, flags: ConfigFlags): Settings => {
  const given: Record<string, string | boolean> = {}
  for (const spec of optionSpecs.values()) {
    const attribute = attributeOf(spec.flag)
    const value = command.getOptionValue(attribute)
    if (value !== undefined) given[spec.name] = value
  }
  return resolveSettings({
    flags: given,
    env: process.env,
    file: readSettingsFile(process.env),
    defaults: flags.defaults ?? {},
  })
}

const addFlag = (command: Command, spec: OptionSpec): void => {
  if (spec.isSecret) return
  const short = spec.name === 'output' ? '-o, ' : ''
  const description = `${spec.description}${defaultText(spec)}`
  if (spec.kind === 'boolean') {
    const flag = spec.default === true ? `--no-${spec.flag}` : `--${spec.flag}`
    const text = spec.default === true ? `Do not: ${spec.description}` : spec.description
    const option = new Option(flag, text)
    // commander would invent `true` for --no-x; an absent flag must stay undefined
    option.defaultValue = undefined
    command.addOption(option)
    command.setOptionValue(option.attributeName(), undefined)
    return
  }
  command.addOption(new Option(`${short}--${spec.flag} <${spec.kind}>`, description))
}

const defaultText = ({ default: byDefault, kind }: OptionSpec): string => {
  if (byDefault === undefined) return ''
  const shown = kind === 'duration' ? formatDurationMs(byDefault as number) : byDefault
  return ` (default ${shown})`
}

const attributeOf = (flag: string): string =>
  flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
