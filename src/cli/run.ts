/**
 * `millrace run [NAME]`: an instance of a shipped application, without generated orders.
 *
 * With `--bootstrap` it is one of any number of replicas that share the partitions of a Kafka.
 */

import { Command } from 'commander'
import type { OptionName } from '../config/options.ts'
import { checkApplication } from './applications.ts'
import {
  addConfigFlags,
  type ConfigFlags,
  instanceOptions,
  kafkaOptions,
  messageOptions,
  replicaOptions,
  settingsOf,
} from './config-flags.ts'

const flags: ConfigFlags = {
  options: [
    'forMs',
    ...kafkaOptions,
    ...replicaOptions,
    ...messageOptions,
    ...instanceOptions,
    'output',
  ] satisfies OptionName[],
  withRuntime: true,
}

export const runCommand = (): Command => {
  const command = new Command('run')
    .description('Run an application on the embedded broker or on Kafka, until Ctrl-C.')
    .argument('[name]', 'application (default shop)')
  return addConfigFlags(command, flags).action(async (name: string = 'shop') => {
    const settings = settingsOf(command, flags)
    checkApplication(name)
    const { bootstrap } = settings
    const { runInstance } = await import('./run-instance.ts')
    process.exitCode = await runInstance(settings, {
      name: `run ${name}`,
      bootstrap,
      withLoad: false,
    })
  })
}
