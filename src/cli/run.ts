/**
 * `millrace run [NAME]`: an instance of a shipped application, without generated orders.
 *
 * With `--bootstrap` it is one of any number of replicas that share the partitions of a Kafka.
 */

import { Command } from 'commander'
import { nearest } from '../config/nearest.ts'
import { type OptionName } from '../config/options.ts'
import { UsageError } from '../config/usage-error.ts'
import {
  addConfigFlags,
  type ConfigFlags,
  instanceOptions,
  kafkaOptions,
  replicaOptions,
  settingsOf,
} from './config-flags.ts'

const flags: ConfigFlags = {
  options: [
    'forMs',
    ...kafkaOptions,
    ...replicaOptions,
    ...instanceOptions,
    'output',
  ] satisfies OptionName[],
  withRuntime: true,
}

const applications = ['shop']

export const runCommand = (): Command => {
  const command = new Command('run')
    .description('Run an application on the embedded broker or on Kafka, until Ctrl-C.')
    .argument('[name]', 'application (default shop)')
  return addConfigFlags(command, flags).action(async (name: string = 'shop') => {
    const settings = settingsOf(command, flags)
    if (!applications.includes(name)) {
      const best = nearest(name, applications)
      throw new UsageError(`unknown application '${name}'; the nearest known one is '${best}'`)
    }
    const { bootstrap } = settings
    const { runInstance } = await import('./run-instance.ts')
    process.exitCode = await runInstance(settings, {
      name: `run ${name}`,
      bootstrap,
      withLoad: false,
    })
  })
}
