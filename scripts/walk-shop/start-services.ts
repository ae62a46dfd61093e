/**
 * Kafka and a schema registry, each by the project's own script, in a folder of this walk.
 *
 * What is started here ends with the walk; should this process be killed, a guard of the script
 * ends it. What the caller names is used and left alone.
 */

import { join } from 'node:path'
import type { ConsoleConsumer } from './console-consumer.ts'
import { runScript, ScriptError } from './project-script.ts'
import { startShop } from './start-shop.ts'

export interface ServiceOptions {
  readonly directory: string
  /** A Kafka that runs. */
  readonly bootstrap: string | undefined
  /** URL of a registry that runs, or `built-in`; else Apicurio, and where that cannot be, this. */
  readonly registryUrl: string | undefined
  readonly signal: AbortSignal
  /** Takes what ends a service. */
  readonly ends: AsyncDisposableStack
  readonly tell: (text: string) => void
}

export interface Services {
  readonly consumer: ConsoleConsumer
  readonly registryUrl: string
  readonly registryName: string
}

/** @throws {ScriptError} there is no Java or no Maven, or a service does not answer */
export const startServices = async (options: ServiceOptions): Promise<Services> => {
  // both to their ends, also if one fails: what is half started could not be ended
  const [kafka, registry] = await Promise.allSettled([startKafka(options), startRegistry(options)])
  if (kafka.status === 'rejected') throw kafka.reason
  if (registry.status === 'rejected') throw registry.reason
  return { consumer: kafka.value, ...registry.value }
}

const startKafka = async (options: ServiceOptions): Promise<ConsoleConsumer> => {
  const { directory, bootstrap, ends, tell } = options
  if (bootstrap !== undefined) {
    const tools = (await runScript('kafka.mjs', ['libs'])) as Omit<ConsoleConsumer, 'bootstrap'>
    return { ...tools, bootstrap }
  }
  tell('starting Kafka')
  const data = ['--data', join(directory, 'kafka')]
  ends.defer(async () => {
    await runScript('kafka.mjs', ['stop', ...data, '--wipe'])
  })
  return (await runScript('kafka.mjs', [
    'start',
    '--port',
    '0',
    ...data,
    ...owner,
  ])) as ConsoleConsumer
}

const owner = ['--owner', String(process.pid)]

type Registry = Omit<Services, 'consumer'>

const startRegistry = async (options: ServiceOptions): Promise<Registry> => {
  const { registryUrl, tell } = options
  if (registryUrl === 'built-in') return startBuiltIn(options)
  if (registryUrl !== undefined) return { registryUrl, registryName: registryUrl }
  try {
    return await startApicurio(options)
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error
    await stopApicurio(options)
    tell(`no Apicurio here, so the built-in registry is used: ${error.message}`)
    return startBuiltIn(options)
  }
}

/** @throws {ScriptError} there is no Java or no Maven, or it does not answer */
const startApicurio = async (options: ServiceOptions): Promise<Registry> => {
  options.tell('starting Apicurio')
  options.ends.defer(() => stopApicurio(options))
  const args = ['start', '--port', '0', ...apicurioData(options), ...owner]
  const facts = await runScript('registry.mjs', args)
  const { url, version } = facts as { readonly url: string; readonly version: string }
  return { registryUrl: url, registryName: `Apicurio ${version}` }
}

/** Also one that does not answer. */
const stopApicurio = async (options: ServiceOptions): Promise<void> => {
  await runScript('registry.mjs', ['stop', ...apicurioData(options)])
}

const apicurioData = ({ directory }: ServiceOptions): readonly string[] => [
  '--data',
  join(directory, 'registry'),
]

/** It is part of a shop on the embedded broker, which serves it over HTTP. */
const startBuiltIn = async ({
  directory,
  signal,
  ends,
  tell,
}: ServiceOptions): Promise<Registry> => {
  tell('starting the built-in registry')
  const stateDir = join(directory, 'registry-shop')
  const { address } = await startShop({ stateDir, flags: [], signal, ends })
  return { registryUrl: `${address}/registry`, registryName: 'the built-in registry' }
}
