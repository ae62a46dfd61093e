/**
 * Flags of a command, made from the option table, and their values resolved.
 *
 * Every command names the options it takes; help texts, defaults and checks come from
 * `src/config/options.ts`. Commander only splits the arguments: it knows no types here.
 */

import { type Command, Option } from 'commander'
import { bootstrapAddresses } from '../broker/kafka/bootstrap-addresses.ts'
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
import { formatSize } from '../config/size.ts'
import { UsageError } from '../config/usage-error.ts'
import { stateMemoryOf } from './state-memory.ts'

/** Options of a payment provider behind HTTP. */
export const paymentOptions = [
  'paymentUrl',
  'paymentUsername',
  'paymentPassword',
  'paymentPasswordFile',
  'paymentCa',
  'paymentTimeoutMs',
  'paymentRate',
] as const satisfies readonly OptionName[]

/** Options of every command that reads personal data; who asks another process needs none. */
export const masterKeyOptions = [
  'masterKey',
  'masterKeyFile',
  'oldMasterKeyFile',
] as const satisfies readonly OptionName[]

/** Options of every command that opens an instance. */
export const instanceOptions = [
  'stateDir',
  'port',
  'stateMemoryBytes',
  'stateEngine',
  'topicNames',
  'fsync',
  'acceptTopologyChange',
  'drainMs',
  'declineRate',
  'shortRate',
  'timeoutRate',
  'payments',
  ...paymentOptions,
  'backorders',
  'backorderWaitMs',
  'carrierMode',
  'carriers',
  'transferDeadlineMs',
  ...masterKeyOptions,
  'erasure',
  'seed',
  'logLevel',
] as const satisfies readonly OptionName[]

/** Options of every command that may use a schema registry. */
export const registryOptions = [
  'schemaRegistry',
  'schemaRegistryUsername',
  'schemaRegistryPassword',
  'schemaRegistryCa',
] as const satisfies readonly OptionName[]

/** Options of every command that writes messages. */
export const messageOptions = [
  'serialization',
  ...registryOptions,
  'registerSchemas',
  'recordHeaders',
] as const satisfies readonly OptionName[]

/** Options of a replica among others. */
export const replicaOptions = [
  'linkHost',
  'instanceId',
  'leaveOnStop',
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
  const specs = flags.options.map((name) => {
    const spec = optionSpecs.get(name)!
    return { ...spec, default: flags.defaults?.[name] ?? spec.default }
  })
  for (const spec of specs) if (!spec.isSecret) command.addOption(flagOf(spec))
  for (const name of flags.withRuntime ? runtimeOptionNames : []) {
    command.addOption(flagOf(optionSpecs.get(name)!).helpGroup(runtimeHeading))
  }
  if (specs.some(({ kind }) => kind === 'duration')) command.addHelpText('after', durationTail)
  return command
}

const runtimeHeading = 'Options of the runtime, whose defaults suit most:'
const durationTail = '\nA duration is a number with its unit: 500ms, 20s, 1.5m, 2h, 7d.'

/** @throws {UsageError} a value of any source is not possible or in vain, or a key is unknown */
export const settingsOf = (command: Command, flags: ConfigFlags): Settings => {
  const given: Record<string, string | boolean> = {}
  const names = [...flags.options, ...(flags.withRuntime === true ? runtimeOptionNames : [])]
  for (const spec of names.map((name) => optionSpecs.get(name)!)) {
    const attribute = attributeOf(spec.flag)
    // commander invents `true` for an absent --no-x, which would hide variables and the file
    if (command.getOptionValueSource(attribute) !== 'cli') continue
    given[spec.name] = command.getOptionValue(attribute)
  }
  const settings = resolveSettings({
    flags: given,
    env: process.env,
    file: readSettingsFile(process.env),
    defaults: flags.defaults ?? {},
  })
  if (flags.options.includes('bootstrap')) checkBootstrap(settings.bootstrap, given)
  if (flags.options.includes('stateMemoryBytes')) {
    const isOnKafka = flags.options.includes('bootstrap') && settings.bootstrap !== undefined
    const hasBroker = !isOnKafka && !settings.kafka
    stateMemoryOf(settings, { hasBroker })
  }
  if (flags.options.includes('serialization')) checkRegistry(settings)
  if (settings.payments === 'fake') refusePaymentFlags(given)
  if (given['leaveOnStop'] !== undefined && settings.instanceId === undefined) {
    throw new UsageError('--leave-on-stop is for static members: name one with --instance-id')
  }
  return settings
}

/** Variables and the file are there for all commands: only a flag was meant for this one. */
const checkBootstrap = (
  bootstrap: string | undefined,
  given: Readonly<Record<string, string | boolean>>,
): void => {
  if (bootstrap === undefined) {
    const inVain = [...kafkaOptions, ...replicaOptions].find((name) => given[name] !== undefined)
    if (inVain === undefined) return
    const { flag } = optionSpecs.get(inVain)!
    throw new UsageError(`--${flag} is for Kafka: name its brokers with --bootstrap`)
  }
  try {
    bootstrapAddresses(bootstrap)
  } catch (error) {
    throw new UsageError(`--${(error as Error).message}`)
  }
}

const refusePaymentFlags = (given: Readonly<Record<string, string | boolean>>): void => {
  const inVain = paymentOptions.find((name) => given[name] !== undefined)
  if (inVain === undefined) return
  const { flag } = optionSpecs.get(inVain)!
  throw new UsageError(`--${flag} is for a payment provider of your own: add --payments http`)
}

/** Ids of schemas must mean the same to everybody who reads the topics. */
const checkRegistry = ({ serialization, schemaRegistry, bootstrap, kafka }: Settings): void => {
  if (serialization === 'json' || schemaRegistry !== undefined) return
  if (bootstrap === undefined && !kafka) return
  throw new UsageError('--serialization avro on Kafka needs a registry: --schema-registry <url>')
}

const flagOf = (spec: OptionSpec): Option => {
  const { flag, kind, description, negated, placeholder } = spec
  if (kind === 'boolean') {
    return spec.default === true
      ? new Option(`--no-${flag}`, negated)
      : new Option(`--${flag}`, description)
  }
  const short = spec.name === 'output' ? '-o, ' : ''
  return new Option(`${short}--${flag} <${placeholder}>`, `${description}${defaultText(spec)}`)
}

const defaultText = ({ default: byDefault, kind }: OptionSpec): string => {
  if (byDefault === undefined) return ''
  if (kind === 'duration') return ` (default ${formatDurationMs(byDefault as number)})`
  return ` (default ${kind === 'size' ? formatSize(byDefault as number) : byDefault})`
}

const attributeOf = (flag: string): string =>
  flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
