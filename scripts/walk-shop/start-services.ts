/**
 * Kafka and a schema registry, each by the project's own script, in a folder of this walk.
 *
 * What is started here ends with the walk; should this process be killed, a guard of the script
 * ends it. What the caller names is used and left alone.
 */

import { join } from 'node:path'
import type { ConsoleConsumer } from './console-consumer.ts'
import { runScript, ScriptError } from './project-script.ts'

export interface ServiceOptions {
  readonly directory: string
  /** A Kafka that runs. */
  readonly bootstrap: string | undefined
  /** URL of a registry that runs. */
  readonly registryUrl: string | undefined
  /** Takes what ends a service. */
  readonly ends: AsyncDisposableStack
  readonly tell: (text: string) => void
}

export interface Services {
  readonly consumer: ConsoleConsumer
  /** Absent: the built-in registry of the shop is used. */
  readonly registryUrl: string | undefined
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

const startRegistry = async ({
  directory,
  registryUrl,
  ends,
  tell,
}: ServiceOptions): Promise<Omit<Services, 'consumer'>> => {
  if (registryUrl !== undefined) return { registryUrl, registryName: registryUrl }
  tell('starting Apicurio')
  const data = ['--data', join(directory, 'registry')]
  ends.defer(async () => {
    await runScript('registry.mjs', ['stop', ...data])
  })
  try {
    const facts = await runScript('registry.mjs', ['start', '--port', '0', ...data, ...owner])
    const { url, version } = facts as { readonly url: string; readonly version: string }
    return { registryUrl: url, registryName: `Apicurio ${version}` }
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error
    tell(`no Apicurio here, so the built-in registry is used: ${error.message}`)
    return { registryUrl: undefined, registryName: 'the built-in registry' }
  }
}
